import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FairLine } from "../../lib/base/fair_line.ts";

interface Item {
  readonly key: string;
  readonly number: number;
}

function drain(line: FairLine<Item>): Item[] {
  const all: Item[] = [];
  for (let item = line.shift(); item; item = line.shift()) all.push(item);
  return all;
}

Deno.test("keys take turns, and each key's items keep their order", () => {
  const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 40 });
  fc.assert(fc.property(keys, (keys) => {
    const line = new FairLine<Item>();
    const items = keys.map((key, number) => ({ key, number }));
    for (const item of items) line.push(item.key, item);
    assertEquals(line.size, items.length);
    const left = drain(line);
    assertEquals(line.size, 0);
    for (const key of new Set(keys)) {
      const own = (list: Item[]) => list.filter((item) => item.key === key);
      assertEquals(own(left), own(items));
      // Between two items of a key, no other key has two turns.
      const places = left.flatMap((item, i) => item.key === key ? [i] : []);
      for (const [i, place] of places.slice(1).entries()) {
        const between = left.slice(places[i]! + 1, place).map((item) => item.key);
        assertEquals(new Set(between).size, between.length);
      }
    }
  }));
});

Deno.test("items can be removed, wherever they are", () => {
  const items = fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), remove: fc.boolean() }));
  fc.assert(fc.property(items, (items) => {
    const line = new FairLine<Item>();
    const pushed = items.map(({ key, remove }, number) => ({ key, number, remove }));
    for (const item of pushed) line.push(item.key, item);
    for (const item of pushed) if (item.remove) assert(line.delete(item.key, item));
    for (const item of pushed) if (item.remove) assert(!line.delete(item.key, item));
    const kept = pushed.filter((item) => !item.remove);
    assertEquals(line.size, kept.length);
    for (const key of ["a", "b", "c"]) {
      assertEquals(line.countOf(key), kept.filter((item) => item.key === key).length);
    }
    assertEquals(new Set(drain(line)), new Set(kept));
  }));
});

Deno.test("take() returns the items of one key", () => {
  const line = new FairLine<string>();
  for (const item of ["a1", "b1", "a2"]) line.push(item[0], item);
  assertEquals([line.take("a"), line.take("a"), line.take("c")], [["a1", "a2"], [], []]);
  assertEquals([line.size, line.shift(), line.shift()], [1, "b1", undefined]);
});

Deno.test("clear() returns all items", () => {
  const line = new FairLine<string>();
  for (const item of ["a1", "b1", "a2"]) line.push(item[0], item);
  assertEquals(line.clear().sort(), ["a1", "a2", "b1"]);
  assertEquals([line.size, line.shift(), line.countOf("a")], [0, undefined, 0]);
});
