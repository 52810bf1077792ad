import { assert, assertEquals } from "@std/assert";
import { FaultSet } from "../../lib/proxy/faults/fault_set.ts";
import { Flow, type FlowEvents } from "../../lib/proxy/flow.ts";
import { FlowTurns } from "../../lib/proxy/flow_turns.ts";
import type { Side } from "../../lib/proxy/side.ts";

/** A side that says whether it is read from. */
class FakeSide {
  isRead = true;
  resume(): void {
    this.isRead = true;
  }
  pause(): void {
    this.isRead = false;
  }
  write(): boolean {
    return true;
  }
}

Deno.test("those who pass bytes without end all stop until others have had their turn, and go on", async () => {
  const turn = Promise.withResolvers<void>();
  let taken = 0;
  const turns = new FlowTurns({
    take() {
      taken++;
      return turn.promise;
    },
  }, () => false);
  using set = new FaultSet(1, () => {});
  const events = { id: 1, passing() {} } as unknown as FlowEvents;
  const senders = [new FakeSide(), new FakeSide()];
  const flows = senders.map((sender) =>
    new Flow("up", sender as unknown as Side, new FakeSide() as unknown as Side, set, events, turns)
  );
  const bytes = new Uint8Array(65_536);
  // As a side does, they stop where they are told so.
  flows.forEach((flow, i) => senders[i]!.isRead = flow.received(bytes));
  assertEquals(senders.map(({ isRead }) => isRead), [false, false]);
  assertEquals(taken, 1);
  turn.resolve();
  await turn.promise;
  for (let i = 0; i < 10; i++) await undefined;
  assertEquals(senders.map(({ isRead }) => isRead), [true, true]);
  assert(flows.every((flow) => flow.received(bytes)), "not again at once");
  assertEquals(flows.map(({ passedBytes }) => passedBytes), [131_072, 131_072]);
});
