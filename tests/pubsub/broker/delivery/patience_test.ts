import { assert, assertEquals } from "@std/assert";
import { type Congestible, Patience } from "../../../../lib/pubsub/broker/delivery/patience.ts";
import { Pace } from "../../../../lib/pubsub/broker/delivery/pace.ts";
import { deadline, pause } from "../../../support/deadline.ts";

const LIMIT_MS = 40;

/** A connection whose socket takes much all the time, or nothing. */
class Peer implements Congestible {
  blocking = 0;
  hasty = 0;
  congested = true;
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
function paceOf(...peers: readonly Peer[]): Pace<Peer> {
  const pace = new Pace<Peer>();
  for (const peer of peers) pace.published(peer, performance.now());
  return pace;
}

function setUp(): { patience: Patience<Peer>; exhausted: Peer[] } {
  const exhausted: Peer[] = [];
  return { patience: new Patience<Peer>(LIMIT_MS, (peer) => exhausted.push(peer)), exhausted };
}

/** Whether a promise is still pending after several times the limit. */
async function stillWaits(promise: Promise<void>): Promise<boolean> {
  let waits = true;
  void promise.then(() => waits = false);
  await pause(LIMIT_MS * 4);
  return waits;
}

Deno.test("patience with a connection that takes nothing ends, until it has caught up", async () => {
  const { patience, exhausted } = setUp();
  const stalled = new Peer(false);
  assert(patience.has(stalled));
  await deadline(patience.wait([stalled], paceOf(stalled)));
  assertEquals(exhausted, [stalled]);
  assert(!patience.has(stalled));
  patience.relieved(stalled);
  assert(patience.has(stalled));
});

Deno.test("patience with one slow connection among many ends, though it takes bytes", async () => {
  const { patience, exhausted } = setUp();
  const slow = new Peer(true);
  const ready = new Peer(true);
  ready.congested = false;
  await deadline(patience.wait([slow], paceOf(slow, ready)));
  assertEquals(exhausted, [slow]);
});

Deno.test("patience does not end where all receivers are slow and take bytes", async () => {
  const { patience, exhausted } = setUp();
  const peers = [1, 2, 3, 4].map(() => new Peer(true));
  const waiting = patience.wait(peers, paceOf(...peers));
  assert(await stillWaits(waiting));
  // The publisher goes on once the last of them has caught up.
  for (const peer of peers.slice(1)) patience.relieved(peer);
  patience.relieved(peers[0]!);
  await deadline(waiting);
  assertEquals(exhausted, []);
});

Deno.test("patience with a subscriber whose policy is block never ends", async () => {
  const { patience } = setUp();
  const blocking = new Peer(false);
  blocking.blocking = 1;
  const waiting = patience.wait([blocking], paceOf(blocking));
  assert(await stillWaits(waiting));
  assert(patience.has(blocking));
  patience.relieved(blocking);
  await deadline(waiting);
});

Deno.test("patience with a policy that waits for nobody has its limit", async () => {
  const { patience, exhausted } = setUp();
  const latest = new Peer(true);
  latest.hasty = 1;
  await deadline(patience.wait([latest], paceOf(latest)));
  assertEquals(exhausted, [latest]);
});
