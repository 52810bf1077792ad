/** Of many streams the one that keeps a topic is found, whatever streams came and went. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { newStreamSettings } from "../../../../lib/pubsub/mod.ts";
import { StreamTopics } from "../../../../lib/pubsub/broker/streams/stream_topics.ts";
import type { StreamFigures } from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import { filterCovers, filtersOverlap } from "../../../../lib/pubsub/protocol/topic.ts";

const figures = (name: string, topics: readonly string[]): StreamFigures => ({
  name,
  settings: newStreamSettings(topics),
  firstSeq: 1,
  lastSeq: 0,
  count: 0,
  bytes: 0,
  consumers: 0,
});

Deno.test("the stream of a topic is found after each change of the streams", () => {
  const streams = new Map<string, StreamFigures>();
  const topics = new StreamTopics(streams);
  const SETS: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["a", ["orders.*", "log.>"]],
    ["b", ["orders.*.paid"]],
    ["a", ["orders.new"]],
    ["c", ["log.>", "*.*.open"]],
    ["b", undefined],
    ["_dead", ["_dead.>"]],
    ["d", ["orders.*.paid", "orders.old"]],
    ["a", undefined],
    // Another of the same name, with what another one had.
    ["c", ["orders.new"]],
    ["a", ["log.*"]],
  ];
  const all = ["orders.new", "orders.old", "orders.eu.paid", "orders.eu.open", "log.x", "log.x.y"];
  for (const [name, filters] of SETS) {
    if (filters) streams.set(name, figures(name, filters));
    else streams.delete(name);
    topics.changed();
    for (const topic of [...all, "_dead.a.c", "_x.y.open", "none"]) {
      const expected = [...streams.values()].find(({ settings }) =>
        settings.topics.some((filter) => filterCovers(filter, topic))
      );
      for (const _ of "12") assertEquals(topics.of(topic), expected?.name, topic);
    }
  }
});

Deno.test("the filters of other streams are not looked through for a topic", () => {
  let read = 0;
  const streams = new Map<string, StreamFigures>();
  const filters = (i: number) => Array.from({ length: 16 }, (_, f) => `s${i}.f${f}.*`);
  for (let i = 0; i < 900; i++) {
    const each = figures(`s${i}`, filters(i));
    const settings = Object.defineProperty({ ...each.settings }, "topics", {
      get: () => (read++, each.settings.topics),
    });
    streams.set(each.name, { ...each, settings });
  }
  const topics = new StreamTopics(streams);
  topics.of("first");
  read = 0;
  for (let i = 0; i < 1_000; i++) assertEquals(topics.of(`s${i % 900}.f3.x${i}`), `s${i % 900}`);
  assertEquals(read, 0);
});

Deno.test("what is looked at for a topic is little, and nothing where the answer is remembered", () => {
  // With `*` and `a` in each of ten tokens all filters fit a topic up to its last token: a tree of them
  // would have 2,000 nodes looked at.
  const all = Array.from({ length: 1_024 }, (_, bits) => {
    const tokens = Array.from({ length: 10 }, (_, at) => bits >> at & 1 ? "*" : "a");
    return figures(`s${bits}`, [[...tokens, `last${bits}`].join(".")]);
  });
  const topics = new StreamTopics(new Map(all.map((each) => [each.name, each])));
  let nodes = 0;
  const look = (topic: string) => {
    nodes = 0;
    return topics.of(topic, (visited) => nodes += visited);
  };
  const fits = "a.a.a.a.a.a.a.a.a.a";
  for (const [topic, name] of [[`${fits}.last7`, "s7"], [`${fits}.none`, undefined]] as const) {
    assertEquals(look(topic), name);
    assert(nodes > 0 && nodes < 100, `${nodes}`);
    assertEquals([look(topic), nodes], [name, 0]);
  }
  look("b.c");
  assert(nodes > 0 && nodes < 100, `${nodes}`);
});

Deno.test("the stream of any topic is found among many that wildcards keep apart", () => {
  const places = Array.from({ length: 8 }, (_, at) => at);
  // Two of them differ in one token at least, so that no topic matches both.
  const filters = Array.from(
    { length: 200 },
    (_, i) => [...places.map((at) => i >> at & 1 ? "a" : "b"), i % 3 === 0 ? ">" : "*"].join("."),
  );
  const topics = new StreamTopics(new Map(filters.map((f, i) => [`s${i}`, figures(`s${i}`, [f])])));
  for (const [i, filter] of filters.entries()) {
    assertEquals(topics.of(filter.replace(/.$/, "x")), `s${i}`);
    assertEquals(topics.of(filter.replace(/.$/, "x.y")), i % 3 === 0 ? `s${i}` : undefined);
    assertEquals(topics.overlapping([filter], `s${i}`), undefined);
  }
});

const TOKEN = fc.constantFrom("a", "b", "*", "_x");
const FILTER = fc.tuple(fc.array(TOKEN, { maxLength: 3 }), fc.constantFrom("a", "b", "*", ">"))
  .map(([tokens, last]) => [...tokens, last].join("."));

Deno.test("a stream that overlaps one of some filters is found if there is one", () => {
  fc.assert(
    fc.property(fc.array(FILTER, { maxLength: 12 }), FILTER, FILTER, (all, one, two) => {
      const streams = new Map<string, StreamFigures>();
      for (const [i, filter] of all.entries()) {
        if (all.slice(0, i).some((each) => filtersOverlap(each, filter))) continue;
        streams.set(`s${streams.size % 5}`, figures(`s${streams.size % 5}`, [filter]));
      }
      const topics = new StreamTopics(streams);
      const expected = [...streams.values()].filter(({ name, settings }) =>
        name !== "s1" &&
        settings.topics.some((each) => [one, two].some((f) => filtersOverlap(each, f)))
      );
      const found = topics.overlapping([one, two], "s1");
      assertEquals(found === undefined, expected.length === 0, `${found}`);
      assert(found === undefined || expected.some(({ name }) => name === found), found);
    }),
    { numRuns: 500 },
  );
});
