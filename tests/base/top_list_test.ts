import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { TopList } from "../../lib/base/top_list.ts";

Deno.test("a list of the greatest is what sorting all of them begins with", () => {
  fc.assert(fc.property(fc.array(fc.integer()), fc.nat({ max: 20 }), (numbers, size) => {
    const top = new TopList<number>(size, (a, b) => b - a);
    for (const number of numbers) top.add(number);
    assertEquals(top.sorted(), numbers.toSorted((a, b) => b - a).slice(0, size));
  }));
});
