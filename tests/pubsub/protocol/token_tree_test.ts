import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { overlapping } from "../../../lib/pubsub/protocol/overlapping.ts";
import { TokenTree } from "../../../lib/pubsub/protocol/token_tree.ts";
import { filterCovers } from "../../../lib/pubsub/protocol/topic.ts";

// Few tokens, some the beginnings of others, so that labels part in all places.
const topic = fc.array(fc.constantFrom("a", "ab", "b", "1", "_a"), { minLength: 1, maxLength: 6 })
  .map((tokens) => tokens.join("."));
const filter = fc.tuple(
  fc.array(fc.constantFrom("a", "ab", "1", "*"), { minLength: 1, maxLength: 5 }),
  fc.boolean(),
).map(([tokens, rest]) => [...tokens, ...(rest ? [">"] : [])].join("."));

Deno.test("a tree is a map of topics, and what it counts goes back to nothing", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(topic, fc.boolean()), { maxLength: 80 }),
    (steps) => {
      const tree = new TokenTree<string>();
      const model = new Map<string, string>();
      for (const [text, add] of steps) {
        if (add) {
          tree.set(text, `value of ${text}`);
          model.set(text, `value of ${text}`);
        } else {
          assertEquals(tree.delete(text), model.get(text));
          model.delete(text);
        }
        assertEquals(tree.size, model.size);
        assertEquals([...tree.values()].sort(), [...model.values()].sort());
        for (const [other] of steps) assertEquals(tree.get(other), model.get(other));
      }
      for (const text of model.keys()) tree.delete(text);
      assertEquals([tree.size, tree.bytes], [0, 0]);
    },
  ));
});

Deno.test("a filter finds the topics that it covers", () => {
  fc.assert(fc.property(fc.array(topic, { maxLength: 60 }), filter, (topics, text) => {
    const tree = new TokenTree<string>();
    for (const name of topics) tree.set(name, name);
    const covered = new Set(topics.filter((name) => filterCovers(text, name)));
    const found = [...overlapping(tree, text)].filter((value) => value !== undefined);
    assertEquals(found.sort(), [...covered].sort());
  }));
});

Deno.test("a walk that changes interrupt gives what was there all the time, once", () => {
  const change = fc.tuple(topic, fc.boolean(), fc.nat({ max: 4 }));
  fc.assert(
    fc.property(
      fc.array(topic, { minLength: 1, maxLength: 40 }),
      fc.array(change, { maxLength: 40 }),
      fc.constantFrom(">", "*.>", "a.>", "*.*", "a.*.>", "*"),
      (topics, changes, text) => {
        const tree = new TokenTree<string>();
        for (const name of topics) tree.set(name, name);
        const stayed = new Set(topics.filter((name) => filterCovers(text, name)));
        const walk = overlapping(tree, text);
        const seen: string[] = [];
        for (const [name, add, steps] of changes) {
          for (let i = 0; i < steps; i++) {
            const { done, value } = walk.next();
            if (!done && value !== undefined) seen.push(value);
          }
          if (add) tree.set(name, name);
          else {
            tree.delete(name);
            stayed.delete(name);
          }
        }
        seen.push(...[...walk].filter((value) => value !== undefined));
        for (const name of stayed) {
          assertEquals(seen.filter((other) => other === name), [name], "there all the time");
        }
        for (const name of seen) assert(filterCovers(text, name), `${name} does not match`);
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("a filter of many tokens costs about what its text does", () => {
  const tree = new TokenTree<number>();
  const tokens = Array.from({ length: 30 }, (_, i) => `token${i}`).join(".");
  for (let i = 0; i < 1_000; i++) tree.set(`${i}.${tokens}.*`, i);
  assert(tree.bytes < 1_000 * 500, `${tree.bytes} bytes`);
});

Deno.test("a walk may be interrupted among filters that have nothing in common", () => {
  const tree = new TokenTree<string>();
  for (let i = 0; i < 100; i++) tree.set(`a.${i}.b`, `${i}`);
  const found = [...overlapping(tree, "*.*.c")];
  assertEquals(found.filter((value) => value !== undefined), []);
  assert(found.length >= 50, `${found.length} places to interrupt it`);
});
