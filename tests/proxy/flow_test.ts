import { assert, assertEquals } from "@std/assert";
import type { Turns } from "../../lib/net/turns.ts";
import { FaultSet } from "../../lib/proxy/faults/fault_set.ts";
import { parseFault } from "../../lib/proxy/mod.ts";
import { Flow, type FlowEvents } from "../../lib/proxy/flow.ts";
import { FlowTurns } from "../../lib/proxy/flow_turns.ts";
import type { Side } from "../../lib/proxy/side.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** More than flows pass before they look whether others are to have their turn. */
const MUCH = new Uint8Array(65_536);
const LITTLE = new Uint8Array(64);

/** Longer than flows pass bytes before others have their turn. */
const LONG_MS = 1_000;

/** A side that says whether it is read from. */
class FakeSide {
  isRead = true;
  hasEnded = false;
  readonly pendingBytes = 0;
  /** Called when bytes are written. */
  onWrite = () => {};
  resume(): void {
    this.isRead = true;
  }
  pause(): void {
    this.isRead = false;
  }
  /** Told in a microtask when a write was taken, as of a connection over TLS, if there is one. */
  onTaken: (() => void) | undefined;
  written = 0;
  write(): boolean {
    this.onWrite();
    this.written++;
    if (this.onTaken) queueMicrotask(this.onTaken);
    return this.onTaken === undefined;
  }
  writeAlone(): boolean {
    return this.write();
  }
  end(): void {
    this.hasEnded = true;
  }
}

/** Turns that come when they are given. */
class FakeTurns implements Pick<Turns, "takeLast" | "isAwaited"> {
  isAwaited = false;
  readonly waiting: (() => void)[] = [];
  takeLast(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
  async give(): Promise<void> {
    this.waiting.shift()!();
    for (let i = 0; i < 10; i++) await undefined;
  }
}

/** Flows of one proxy, each from a side to a side. */
class Flows implements Disposable {
  readonly turns = new FakeTurns();
  readonly from: FakeSide[] = [];
  readonly to: FakeSide[] = [];
  readonly flows: Flow[] = [];
  readonly set = new FaultSet(1, () => {});
  readonly #flowTurns = new FlowTurns(this.turns, () => this.flows.length);

  constructor(count: number) {
    const events = { id: 1, passing() {}, ended() {} } as unknown as FlowEvents;
    for (let i = 0; i < count; i++) {
      const [from, to] = [this.from[i] = new FakeSide(), this.to[i] = new FakeSide()];
      const ends = [from, to] as unknown as [Side, Side];
      this.flows.push(new Flow("up", ...ends, this.set, events, this.#flowTurns));
    }
  }

  /** A side reads: it stops where it is told so. */
  read(i: number, bytes: Uint8Array): void {
    this.from[i]!.isRead = this.flows[i]!.received(bytes);
  }

  get passed(): number[] {
    return this.flows.map(({ passedBytes }) => passedBytes);
  }

  get areRead(): boolean[] {
    return this.from.map(({ isRead }) => isRead);
  }

  [Symbol.dispose](): void {
    this.set[Symbol.dispose]();
  }
}

Deno.test("those who pass bytes without end all stop until others have had their turn, and go on", async () => {
  using _clock = new FakeClock();
  using flows = new Flows(3);
  flows.read(0, MUCH);
  flows.read(1, MUCH);
  flows.read(2, LITTLE);
  // What they have read is passed later: of a thousand, to pass it would take long.
  assertEquals(flows.passed, [0, 0, LITTLE.length]);
  assertEquals(flows.areRead, [false, false, true]);
  assertEquals(flows.turns.waiting.length, 1);
  await flows.turns.give();
  assertEquals(flows.passed, [MUCH.length, MUCH.length, LITTLE.length]);
  assertEquals(flows.areRead, [true, true, true]);
  flows.read(0, MUCH);
  assertEquals(
    [flows.passed[0], flows.turns.waiting.length],
    [2 * MUCH.length, 0],
    "not again at once",
  );
});

Deno.test("the more flows there are, the less each passes before others have their turn", () => {
  using _clock = new FakeClock();
  for (const [count, shareBytes] of [[2, 65_536], [64, 16_384], [3_000, 4_096]] as const) {
    using flows = new Flows(count);
    flows.read(0, new Uint8Array(shareBytes - 1));
    flows.read(1, new Uint8Array(shareBytes));
    assertEquals(flows.passed.slice(0, 2), [shareBytes - 1, 0]);
  }
});

Deno.test("flows for which the time of a turn does not suffice wait for the next one", async () => {
  using clock = new FakeClock();
  using flows = new Flows(3);
  for (const to of flows.to) to.onWrite = () => clock.nowMs += LONG_MS;
  for (const i of [0, 1, 2]) flows.read(i, MUCH);
  for (const passed of [1, 2, 3]) {
    assertEquals(flows.turns.waiting.length, 1);
    await flows.turns.give();
    assertEquals(flows.areRead, [0, 1, 2].map((i) => i < passed));
  }
  assertEquals(flows.turns.waiting.length, 0);
});

Deno.test("what a flow holds back comes before what it reads once more, and before its end", async () => {
  using flows = new Flows(2);
  flows.read(0, MUCH);
  flows.read(0, LITTLE);
  flows.read(1, MUCH);
  flows.flows[1]!.ended();
  assertEquals(flows.passed, [0, MUCH.length]);
  assertEquals(flows.to.map(({ hasEnded }) => hasEnded), [false, true]);
  await flows.turns.give();
  assertEquals(flows.passed, [MUCH.length + LITTLE.length, MUCH.length]);
  assert(flows.from[0]!.isRead);
});

Deno.test("what waits because of faults goes on in turns, however soon the system takes it", async () => {
  for (const [fault, reads] of [["up slice 1B", 1], ["up corrupt 1e-17", 1_000]] as const) {
    using clock = new FakeClock();
    using flows = new Flows(2);
    flows.set.set([parseFault(fault)]);
    const [flow, to] = [flows.flows[0]!, flows.to[0]!];
    flow.look();
    to.onWrite = () => void clock.nowMs++;
    if (reads > 1) to.onTaken = () => flow.drained();
    for (let i = 0; i < reads; i++) flow.received(new Uint8Array(1_000 / reads));
    for (let turns = 1;; turns++) {
      for (let i = 0; i < 200; i++) await undefined;
      assert(to.written < 50 * turns, `${fault}: ${to.written} writes in ${turns} turns`);
      if (flow.passedBytes === 1_000) break;
      assertEquals(
        flows.turns.waiting.length,
        1,
        `${fault}: ${to.written} writes, no turn is asked for`,
      );
      await flows.turns.give();
    }
    flow.stop();
  }
});

Deno.test("a message of few pieces does not wait for all flows that have pieces without end", async () => {
  const FLOWS = 40;
  using clock = new FakeClock();
  using flows = new Flows(FLOWS);
  flows.set.set([parseFault("up slice 1B")]);
  for (const to of flows.to) to.onWrite = () => void clock.nowMs++;
  for (const flow of flows.flows) flow.look();
  const [small, ...others] = flows.flows;
  for (const flow of others) flow.received(new Uint8Array(1_000));
  const giveUntil = async (isDone: () => boolean) => {
    for (let i = 0; i < 200; i++) await undefined;
    while (!isDone()) {
      await flows.turns.give();
      for (let i = 0; i < 200; i++) await undefined;
    }
  };
  let bytes = 0;
  // At their beginning, too, when they have passed nothing yet.
  for (const passedAtLeast of [0, 70]) {
    await giveUntil(() => others.every(({ passedBytes }) => passedBytes >= passedAtLeast));
    for (let i = 0; i < 2; i++) {
      const beganAt = clock.nowMs;
      small!.received(new Uint8Array(10));
      bytes += 10;
      await giveUntil(() => small!.passedBytes === bytes);
      // In turn with all others, piece by piece, it would take 400 ms.
      assert(clock.nowMs - beganAt < 100, `${clock.nowMs - beganAt} ms`);
    }
  }
  // Who has much is served meanwhile.
  const passed = () => others.reduce((sum, { passedBytes }) => sum + passedBytes, 0);
  const before = passed();
  small!.received(new Uint8Array(10));
  await giveUntil(() => small!.passedBytes === bytes + 10);
  assert(passed() - before >= 5, `${passed() - before} pieces`);
  for (const flow of flows.flows) flow.stop();
});
