import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { FilterTree } from "../../../lib/pubsub/protocol/filter_tree.ts";
import {
  filterCovers,
  filterProblem,
  filtersOverlap,
  groupProblem,
  isInbox,
  topicProblem,
} from "../../../lib/pubsub/protocol/topic.ts";
import { soakSize } from "../../support/soak_size.ts";

Deno.test("topics are tokens joined by dots", () => {
  for (const topic of ["a", "orders.eu.new", "ä.日本", "a-b.c_d", "_sys.stats", "x".repeat(255)]) {
    assertEquals(topicProblem(topic), undefined, topic);
  }
  assertEquals(topicProblem(Array(32).fill("a").join(".")), undefined);
});

Deno.test("replies go to inboxes, of clients of NATS too", () => {
  for (const topic of ["_inbox.a.b", "_INBOX.a", "_INBOX_alice.a.b", "_INBOXES.x"]) {
    assert(isInbox(topic), topic);
  }
  for (
    const topic of ["_inbox", "_INBOX", "_INBOX_a", "inbox.a", "_sys.a", "_inboxes.a", "x._INBOX.a"]
  ) {
    assert(!isInbox(topic), topic);
  }
});

Deno.test("what is no topic is told why", () => {
  const cases: [unknown, RegExp][] = [
    ["", /empty/],
    ["a..b", /empty/],
    [".a", /empty/],
    ["a.", /empty/],
    ["a b", /white space/],
    ["a\tb", /white space/],
    ["a\u0000", /control/],
    ["a\u00a0b", /white space/],
    ["a.*", /wildcard/],
    ["a.>", /wildcard/],
    ["a*", /wildcard/],
    ["\ud800", /Unicode/],
    ["é".repeat(128), /255 bytes/],
    ["x".repeat(256), /255 bytes/],
    [Array(33).fill("a").join("."), /32 tokens/],
    [7, /text/],
    [undefined, /text/],
  ];
  for (const [topic, problem] of cases) {
    assert(problem.test(topicProblem(topic) ?? ""), `${topic}: ${topicProblem(topic)}`);
  }
});

Deno.test("filters have wildcards as whole tokens, > only at the end", () => {
  for (const filter of ["*", ">", "a.*", "a.>", "*.*", "*.b.>", "a"]) {
    assertEquals(filterProblem(filter), undefined, filter);
  }
  for (const filter of ["a*", ">.a", "a.>.b", "a>", "", "a..*"]) {
    assert(filterProblem(filter) !== undefined, filter);
  }
  assertEquals(groupProblem("workers"), undefined);
  for (const group of ["", "a.b", "*", "a b", 3]) assert(groupProblem(group) !== undefined);
});

Deno.test("whatever a text is, it is a topic if the protocol says so", () => {
  const letter = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("a", "Z", "0", "_", "-", "~", "!", ".") },
    {
      weight: 1,
      arbitrary: fc.constantFrom("*", ">", " ", "\t", "\x7f", "\x1f", "é", "\u0085", "😀"),
    },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)),
    },
  );
  const text = fc.oneof(
    fc.string({ unit: letter, maxLength: 20 }),
    fc.string({ unit: fc.constantFrom("a", "a."), minLength: 28, maxLength: 34 }).map((t) =>
      t + "a"
    ),
    fc.string({ unit: fc.constantFrom("a", "b"), minLength: 253, maxLength: 257 }),
    fc.string({ unit: fc.constantFrom("a", "é"), minLength: 126, maxLength: 256 }),
  );
  fc.assert(
    fc.property(text, (topic) => {
      const tokens = topic.split(".");
      const isTopic = topic.isWellFormed() && new TextEncoder().encode(topic).length <= 255 &&
        tokens.length <= 32 && tokens.every((token) => /^[^\s*>\p{Cc}]+$/u.test(token));
      assertEquals(topicProblem(topic) === undefined, isTopic);
    }),
    { numRuns: 1_000 },
  );
});

const token = fc.constantFrom("a", "b", "c");
const topic = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const filter = fc.tuple(
  fc.array(fc.constantFrom("a", "b", "c", "*"), { minLength: 1, maxLength: 4 }),
  fc.boolean(),
).map(([tokens, rest]) => [...tokens, ...(rest ? [">"] : [])].join("."));

/** What the protocol says, word by word. */
function matches(filter: string, topic: string): boolean {
  const pattern = filter.split(".").map((token) =>
    token === "*" ? "[^.]+" : token === ">" ? ".+" : token
  ).join("\\.");
  return new RegExp(`^${pattern}$`).test(topic);
}

Deno.test("a tree finds exactly the filters that match, whatever was added and removed", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(filter, fc.boolean()), { maxLength: 60 }),
    fc.array(topic, { minLength: 1, maxLength: 10 }),
    (steps, topics) => {
      const tree = new FilterTree<string>();
      const expected = new Set<string>();
      for (const [text, add] of steps) {
        if (add) {
          tree.set(text, text);
          expected.add(text);
        } else {
          tree.delete(text);
          expected.delete(text);
        }
      }
      assertEquals(tree.size, expected.size);
      for (const text of expected) assertEquals(tree.get(text), text);
      for (const name of topics) {
        const found: string[] = [];
        tree.match(name, found);
        assertEquals(found.sort(), [...expected].filter((text) => matches(text, name)).sort());
      }
    },
  ));
});

Deno.test("covering and overlapping agree with matching", () => {
  fc.assert(fc.property(filter, filter, fc.array(topic, { maxLength: 20 }), (a, b, topics) => {
    for (const name of topics) {
      if (filterCovers(a, b) && matches(b, name)) assert(matches(a, name), `${a} ${b} ${name}`);
      if (matches(a, name) && matches(b, name)) assert(filtersOverlap(a, b), `${a} ${b} ${name}`);
      assertEquals(filterCovers(a, name), matches(a, name), `${a} ${name}`);
    }
    assert(filterCovers(a, a));
    if (filterCovers(a, b)) assert(filtersOverlap(a, b));
  }));
});

Deno.test("wildcards do not reach the system's topics unless they name them", () => {
  const tree = new FilterTree<string>();
  for (const text of [">", "*.>", "*.x", "_inbox.>", "_inbox.x"]) tree.set(text, text);
  const found: string[] = [];
  tree.match("_inbox.x", found);
  assertEquals(found.sort(), ["_inbox.>", "_inbox.x"]);
  assert(!filterCovers(">", "_sys.stats"));
  assert(!filtersOverlap("*.stats", "_sys.stats"));
});

Deno.test("hundreds of thousands of filters: a match visits only what fits", () => {
  const half = soakSize(100_000, 500_000);
  const tree = new FilterTree<number>();
  for (let i = 0; i < half; i++) tree.set(`plain.${i}`, i);
  for (let i = 0; i < half; i++) tree.set(`wild.${i}.*`, i);
  assertEquals(tree.size, 2 * half);
  const found: number[] = [];
  // A scan of all filters for each of these would take minutes.
  for (let i = 0; i < 100_000; i++) {
    tree.match(`plain.${i}`, found);
    tree.match(`wild.${i}.x`, found);
    tree.match(`none.${i}`, found);
  }
  assertEquals(found.length, 200_000);
});
