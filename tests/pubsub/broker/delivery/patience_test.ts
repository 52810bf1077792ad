import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Pace, type Paced } from "../../../../lib/pubsub/broker/delivery/pace.ts";
import { Patience } from "../../../../lib/pubsub/broker/delivery/patience.ts";
import { SLOW_POLICIES, type SlowPolicy } from "../../../../lib/pubsub/mod.ts";
import { deadline, pause } from "../../../support/deadline.ts";

const LIMIT_MS = 40;
const TICK_MS = 10;

/** A connection whose socket takes much all the time, or nothing. */
class Peer implements Paced {
  congested = true;
  toldBytes = 0;
  readonly #step: number;
  #written = 0;

  constructor(moves: boolean) {
    this.#step = moves ? 10_000 : 0;
  }

  get writtenBytes(): number {
    return this.#written += this.#step;
  }
}

/** The pace of a publisher that has just published to these. */
function paceOf(slow: SlowPolicy, ...peers: readonly Peer[]): Pace<Peer> {
  const pace = new Pace<Peer>();
  for (const peer of peers) pace.published(peer, slow, performance.now());
  return pace;
}

function setUp() {
  const exhausted: Peer[] = [];
  const patience = new Patience<Peer>(LIMIT_MS, (peer) => exhausted.push(peer));
  const wait = (peers: readonly Peer[], pace: Pace<Peer>) =>
    patience.wait(peers, pace, performance.now());
  return { patience, exhausted, wait };
}

/** Whether a promise is still pending after several times the limit. */
async function stillWaits(promise: Promise<void> | undefined): Promise<boolean> {
  let waits = promise !== undefined;
  void promise?.then(() => waits = false);
  await pause(LIMIT_MS * 4);
  return waits;
}

Deno.test("patience with a connection that takes nothing ends, until it has caught up", async () => {
  const { patience, exhausted, wait } = setUp();
  const stalled = new Peer(false);
  const pace = paceOf("drop-oldest", stalled);
  await deadline(wait([stalled], pace)!);
  assertEquals(exhausted, [stalled]);
  assertEquals(wait([stalled], pace), undefined);
  patience.relieved(stalled);
  const again = wait([stalled], pace);
  assert(again);
  patience.relieved(stalled);
  await deadline(again);
});

Deno.test("patience with one slow connection among many ends, though it takes bytes", async () => {
  const { exhausted, wait } = setUp();
  const slow = new Peer(true);
  const ready = new Peer(true);
  ready.congested = false;
  await deadline(wait([slow], paceOf("drop-oldest", slow, ready))!);
  assertEquals(exhausted, [slow]);
});

Deno.test("patience does not end where all receivers are slow and take bytes", async () => {
  const { patience, exhausted, wait } = setUp();
  const peers = [1, 2, 3, 4].map(() => new Peer(true));
  const waiting = wait(peers, paceOf("drop-new", ...peers));
  assert(await stillWaits(waiting));
  // The publisher goes on once the last of them has caught up.
  for (const peer of peers.slice(1)) patience.relieved(peer);
  patience.relieved(peers[0]!);
  await deadline(waiting!);
  assertEquals(exhausted, []);
});

Deno.test("a publisher goes at its receiver's pace, though others have no patience with it", async () => {
  const { patience, exhausted, wait } = setUp();
  const shared = new Peer(true);
  const ready = new Peer(true);
  ready.congested = false;
  const own = paceOf("drop-oldest", shared);
  const alone = wait([shared], own);
  await deadline(wait([shared], paceOf("drop-oldest", shared, ready))!);
  assertEquals(exhausted, [shared]);
  assert(await stillWaits(alone));
  const again = wait([shared], own);
  assert(await stillWaits(again));
  patience.relieved(shared);
  await deadline(Promise.all([alone, again]));
});

Deno.test("patience with a subscription whose policy is block never ends", async () => {
  const { patience, wait } = setUp();
  const blocking = new Peer(false);
  const waiting = wait([blocking], paceOf("block", blocking));
  assert(await stillWaits(waiting));
  patience.relieved(blocking);
  await deadline(waiting!);
});

Deno.test("patience with a policy that waits for nobody has its limit", async () => {
  for (const slow of ["latest", "disconnect"] as const) {
    const { exhausted, wait } = setUp();
    const peer = new Peer(true);
    await deadline(wait([peer], paceOf(slow, peer))!);
    assertEquals(exhausted, [peer]);
  }
});

Deno.test("a publisher waits as its receivers' speeds and policies say, and no longer", async () => {
  const receiver = fc.record({
    // In bytes per second; Infinity for one that keeps up.
    speed: fc.constantFrom(...[0, 1, 1_000, 20_000, 40_000, 70_000, 1e6, Infinity] as number[]),
    slow: fc.constantFrom(...SLOW_POLICIES),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(receiver, { minLength: 1, maxLength: 6 }), async (receivers) => {
      const peers = receivers.map(({ speed }) => ({
        congested: speed < Infinity,
        writtenBytes: 0,
        toldBytes: 0,
      }));
      const patience = new Patience<Paced>(LIMIT_MS, () => {});
      const pace = new Pace<Paced>();
      let now = performance.now();
      peers.forEach((peer, i) => pace.published(peer, receivers[i]!.slow, now));
      let waits = true;
      const behind = peers.filter(({ congested }) => congested);
      const waiting = patience.wait(behind, pace, now);
      if (waiting) void waiting.then(() => waits = false);
      else waits = false;
      const end = now + 20_000;
      for (; waits && now < end; now += TICK_MS) {
        peers.forEach((peer, i) => {
          const { speed } = receivers[i]!;
          if (speed < Infinity) peer.writtenBytes += speed * TICK_MS / 1_000;
        });
        patience.look(now + TICK_MS);
        await Promise.resolve();
      }
      const waitedMs = now - (end - 20_000);
      for (const peer of behind) patience.relieved(peer);

      const together = receivers.reduce((sum, { speed }) => sum + speed, 0);
      const isShared = behind.length === peers.length && together >= 65_536;
      const unbounded = receivers.some(({ speed, slow }) =>
        speed < Infinity &&
        (slow === "block" || (isShared && (slow === "drop-oldest" || slow === "drop-new")))
      );
      if (unbounded) assert(waits, "it waits without a bound");
      else {
        // What slow receivers are trusted with at first lasts 16 KiB.
        const trustMs = behind.length === peers.length && together < 65_536
          ? 16_384 / (65.536 - together / 1_000)
          : 0;
        assert(!waits && waitedMs <= trustMs + LIMIT_MS + 3 * TICK_MS, `${waitedMs} ms`);
      }
    }),
  );
});
