import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ReadBudget, ReadMemory } from "../../lib/proxy/read_memory.ts";
import { FakeClock } from "../support/fake_clock.ts";

const LARGE_BYTES = 65_536;

/** Reads until a side has large memory, if it gets any. */
function fill(memory: ReadMemory): number {
  memory.lend(memory.free.length, () => true);
  return memory.free.length;
}

Deno.test("a side is read into small memory until a read fills it, then into large from the budget", () => {
  const budget = new ReadBudget(2 * LARGE_BYTES);
  const sides = [1, 2, 3].map(() => new ReadMemory(budget, () => {}));
  assert(sides.every(({ free }) => free.length <= 4_096));
  sides[0]!.lend(99, () => true);
  assertEquals(budget.usedBytes, 0);
  const [, , small] = sides.map(fill);
  assertEquals([small! <= 4_096, budget.usedBytes], [true, 2 * LARGE_BYTES]);
  sides[0]!.release();
  assertEquals([fill(sides[2]!), budget.usedBytes], [LARGE_BYTES, 2 * LARGE_BYTES]);
  for (const side of sides) side.release();
  assertEquals(budget.usedBytes, 0);
});

Deno.test("who has not read for a while gives its memory to who reads, unless a reader still has it", () => {
  using clock = new FakeClock();
  const budget = new ReadBudget(2 * LARGE_BYTES);
  const moved: number[] = [];
  const sides = [0, 1, 2, 3].map((i) => new ReadMemory(budget, () => void moved.push(i)));
  fill(sides[0]!);
  fill(sides[1]!);
  assert(fill(sides[2]!) < LARGE_BYTES, "all have just read");
  sides[0]!.lend(LARGE_BYTES, () => false);
  clock.nowMs += 1_000;
  assertEquals(fill(sides[2]!), LARGE_BYTES);
  assertEquals(moved, [1]);
  assert(sides[1]!.free.length < LARGE_BYTES);
  clock.nowMs += 1_000;
  for (let i = 0; i < 8; i++) sides[2]!.lend(1, () => true);
  assert(fill(sides[3]!) < LARGE_BYTES, "one is lent, one has just read");
  sides[0]!.takeBack();
  for (let i = 0; i < 8; i++) sides[0]!.lend(sides[0]!.free.length, () => true);
  clock.nowMs += 99;
  assert(fill(sides[3]!) < LARGE_BYTES, "both have read not long ago");
  clock.nowMs += 1;
  assertEquals(fill(sides[3]!), LARGE_BYTES);
  assertEquals(moved.length, 2);
});

Deno.test("nothing is read into what a reader still has", () => {
  const step = fc.record({
    what: fc.constantFrom("read", "lend", "takeBack", "leave", "shrink"),
    isFull: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, canMove) => {
    const budget = new ReadBudget(LARGE_BYTES);
    const lent = new Set<ArrayBuffer>();
    let next: Uint8Array<ArrayBuffer>;
    const memory = new ReadMemory(budget, canMove ? () => next = memory.free : undefined);
    next = memory.free;
    for (const { what, isFull } of steps) {
      if (what === "read" || what === "lend") {
        assert(!lent.has(next.buffer), `${what} into what is lent`);
        const into = next;
        memory.lend(isFull ? next.length : 1, (bytes) => {
          assertEquals(bytes.buffer === into.buffer, true, "what was read into is lent");
          if (what === "lend") lent.add(bytes.buffer);
          return what === "read";
        });
        next = memory.free;
      } else if (what === "takeBack") {
        // A side that is told to go on has passed all that it had lent.
        lent.clear();
        memory.takeBack();
        next = memory.free;
      } else if (what === "leave") {
        memory.leave();
        next = memory.free;
      } else if (!lent.has(next.buffer) && next.length === LARGE_BYTES && canMove) memory.shrink();
    }
    memory.release();
    assertEquals(budget.usedBytes, 0);
  }));
});
