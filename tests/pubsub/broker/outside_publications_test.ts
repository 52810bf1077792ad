import { assert, assertEquals } from "@std/assert";
import { encodeFrame, HeaderCache } from "../../../lib/frame/mod.ts";
import { SharedMemory } from "../../../lib/net/mod.ts";
import {
  OutsidePublications,
  type OutsideTarget,
} from "../../../lib/pubsub/broker/outside_publications.ts";
import type { Route } from "../../../lib/pubsub/broker/routing/route.ts";

/** Publications on topics of their own, in one memory. */
function publications(topics: readonly string[]): Uint8Array<ArrayBuffer> {
  const frames = topics.map((topic) => encodeFrame({ header: { op: "pub", topic }, content: "x" }));
  return new Uint8Array(frames.flatMap((frame) => [...frame]));
}

/** A broker in which each topic has this many subscribers, and what it is asked to do. */
function target(subscribers: number) {
  const said: string[] = [];
  const turns: (() => void)[] = [];
  const route = (topic: string) =>
    ({ topic, subscriptions: Array(subscribers), groups: [], overlaps: 0 }) as unknown as Route;
  const topicOf = (route: Route) => (route as unknown as { topic: string }).topic;
  const core = {
    limits: { maxContentBytes: 1_000, maxPendingBytes: 1_000_000 },
    headerCache: new HeaderCache(),
    router: { find: route, takeWork: () => 0 },
    flushSoon() {},
    pause: () => new Promise<void>((resolve) => turns.push(resolve)),
    forward: (_memory: unknown, _frames: unknown, _first: number, _last: number, route: Route) => {
      said.push(topicOf(route));
      return subscribers;
    },
    tellLost: (route: Route, count: number) => void said.push(`${topicOf(route)} lost ${count}`),
  };
  return { outside: new OutsidePublications(core as unknown as OutsideTarget), said, turns };
}

Deno.test("clients have turns while what other brokers bring is handed on, in its order", async () => {
  const { outside, said, turns } = target(100);
  const topics = Array.from({ length: 200 }, (_, i) => `t.${i}`);
  const bytes = publications(topics);
  const memory = new SharedMemory(bytes);
  outside.deliver(outside.decode(bytes, 0, bytes.length), memory);
  outside.lost("u", 3, false);
  let isDone = false;
  // Whoever reads from the other brokers waits until all of it is handed on.
  const reading = outside.turn()!.then(() => isDone = true);
  for (let taken = 0, before = 0; !isDone; taken++) {
    // With a hundred deliveries each.
    assert(said.length - before <= 10, `${said.length - before} in one go`);
    before = said.length;
    assert(memory.borrowed || before === topics.length);
    turns[taken]?.();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
  await reading;
  assertEquals(said, [...topics, "u lost 3"]);
  assert(!memory.borrowed);
});
