import { assert } from "@std/assert";
import fc from "fast-check";
import { GroupSize } from "../../lib/search/worker/group_size.ts";

/** The sizes of full groups, one after the other, of texts that each take as long. */
function sizesFor(groups: GroupSize, msPerUnit: number): number[] {
  return Array.from({ length: 30 }, () => {
    const { most } = groups;
    groups.took(most, msPerUnit * most);
    return most;
  });
}

Deno.test("groups soon take about 10 ms, whatever their texts cost, and after others", () => {
  const cost = fc.double({ min: 1e-5, max: 0.1, noNaN: true });
  fc.assert(
    fc.property(fc.array(cost, { minLength: 1, maxLength: 4 }), (costs) => {
      const groups = new GroupSize();
      for (const msPerUnit of costs) {
        for (const size of sizesFor(groups, msPerUnit).slice(-10)) {
          assert(size === 4_096 || size * msPerUnit <= 15.1, `${size} units take too long`);
          assert(size === 131_072 || size * msPerUnit >= 6.6, `${size} units are too few`);
        }
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("a few writes that take long, by chance or not, say nothing of a group", () => {
  const groups = new GroupSize();
  const before = groups.most;
  for (let i = 0; i < 20; i++) groups.took(100, 50);
  for (let i = 0; i < 20; i++) groups.took(100, 1);
  assert(groups.most === before);
});
