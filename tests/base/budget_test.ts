import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Budget } from "../../lib/base/budget.ts";

Deno.test("what is taken of a part is taken of the whole, and neither passes its bound", () => {
  const step = fc.tuple(fc.boolean(), fc.boolean(), fc.nat({ max: 60 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const whole = new Budget("whole", 100);
    const parts = [new Budget("left", 70, whole), new Budget("right", 70, whole)];
    const taken: [number[], number[]] = [[], []];
    for (const [right, give, bytes] of steps) {
      const side = right ? 1 : 0;
      const part = parts[side]!;
      if (give) part.give(taken[side].pop() ?? 0);
      else {
        const fits = part.usedBytes + bytes <= 70 && whole.usedBytes + bytes <= 100;
        assertEquals(part.tryTake(bytes), fits);
        if (fits) taken[side].push(bytes);
      }
      assertEquals(whole.usedBytes, parts[0]!.usedBytes + parts[1]!.usedBytes);
      assertEquals(part.usedBytes, taken[side].reduce((sum, one) => sum + one, 0));
    }
  }));
});

Deno.test("the budget that refuses is known, and one that was taken regardless is over", () => {
  const whole = new Budget("whole", 100);
  const part = new Budget("part", 200, whole);
  assert(!part.tryTake(150));
  assertEquals([part.refusing(150), part.refusing(250), part.refusing(100)], [
    whole,
    part,
    undefined,
  ]);
  part.take(150);
  assertEquals([whole.isOver, part.isOver], [true, false]);
  part.give(150);
  assertEquals([whole.isOver, whole.usedBytes], [false, 0]);
});
