import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Deque } from "../../lib/base/deque.ts";
import { collectGarbage } from "../support/garbage.ts";

/** What can be done to a queue: `push` adds `count` items, `shift` and `pop` take `count` items off. */
type Step =
  | { readonly type: "push" | "shift" | "pop"; readonly count: number }
  | { readonly type: "clear" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant("push"), count: fc.nat(1_500) }) },
    { weight: 4, arbitrary: fc.record({ type: fc.constant("shift"), count: fc.nat(2_000) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("pop"), count: fc.nat(2_000) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("clear") }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 40 },
);

Deno.test("whatever is done to a Deque, it is as an array on which the same was done", () => {
  fc.assert(fc.property(steps, (steps) => {
    const deque = new Deque<number | undefined>();
    const model: (number | undefined)[] = [];
    let next = 0;
    for (const step of steps) {
      if (step.type === "clear") {
        deque.clear();
        model.length = 0;
      } else {
        for (let i = 0; i < step.count; i++) {
          if (step.type === "push") {
            // Every fifth is undefined, which is an item as well.
            const item = next++ % 5 === 0 ? undefined : next;
            deque.push(item);
            model.push(item);
          } else assertEquals(deque[step.type](), model[step.type]());
          assertEquals(deque.peek(), model[0]);
          assertEquals(deque.length, model.length);
        }
      }
      assertEquals([...deque], model);
    }
  }));
});

Deno.test("a Deque that was long is emptied, and filled again, in order", () => {
  const deque = new Deque<number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100_000; i++) deque.push(i);
    for (let i = 0; i < 100_000; i++) {
      if (deque.shift() !== i) throw new Error(`item ${i} of round ${round} is out of order`);
    }
    assertEquals([deque.length, deque.shift(), deque.peek()], [0, undefined, undefined]);
  }
});

Deno.test("a Deque refers to no item that was taken off", async () => {
  const deque = new Deque<object>();
  const taken = (() => {
    deque.push({});
    deque.push({});
    return new WeakRef(deque.shift()!);
  })();
  // Until the turn ends, a WeakRef keeps its object.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  assertEquals([taken.deref(), deque.length], [undefined, 1]);
});

Deno.test("a Deque that was long gives its memory back, emptied or nearly so", () => {
  const count = 1_000_000;
  for (const left of [0, 100]) {
    const deque = new Deque<number>();
    const empty = heapBytes();
    for (let i = 0; i < count; i++) deque.push(i);
    const full = heapBytes();
    while (deque.length > left) deque.shift();
    const drained = heapBytes();
    assert(full - empty > 4 * count, `full it takes ${full - empty} bytes`);
    assert(drained - empty < count / 10, `drained it takes ${drained - empty} bytes`);
    assertEquals(deque.length, left);
  }
});

function heapBytes(): number {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}
