import { assert, assertEquals } from "@std/assert";
import { type Congestible, Patience } from "../../../../lib/pubsub/broker/delivery/patience.ts";
import { deadline, pause } from "../../../support/deadline.ts";

const LIMIT_MS = 40;

/** A connection whose socket takes bytes all the time, or none. */
class Peer implements Congestible {
  blocking = 0;
  readonly #step: number;
  #written = 0;

  constructor(moves: boolean) {
    this.#step = moves ? 1 : 0;
  }

  get writtenBytes(): number {
    return this.#written += this.#step;
  }
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
  await deadline(patience.wait([stalled], 1));
  assertEquals(exhausted, [stalled]);
  assert(!patience.has(stalled));
  patience.relieved(stalled);
  assert(patience.has(stalled));
});

Deno.test("patience with one slow connection among many ends, though it takes bytes", async () => {
  const { patience, exhausted } = setUp();
  const slow = new Peer(true);
  await deadline(patience.wait([slow], 10));
  assertEquals(exhausted, [slow]);
});

Deno.test("patience does not end where most receivers are slow, and all of them take bytes", async () => {
  const { patience, exhausted } = setUp();
  const peers = [1, 2, 3, 4].map(() => new Peer(true));
  const waiting = patience.wait(peers, 5);
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
  const waiting = patience.wait([blocking], 10);
  assert(await stillWaits(waiting));
  assert(patience.has(blocking));
  patience.relieved(blocking);
  await deadline(waiting);
});
