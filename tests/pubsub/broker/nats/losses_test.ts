import { assert, assertEquals } from "@std/assert";
import type { MissedPublications } from "../../../../lib/pubsub/mod.ts";
import { Origins } from "../../../../lib/pubsub/broker/nats/origins.ts";
import type { OpenFilter } from "../../../../lib/pubsub/broker/nats/interest.ts";
import { TopicCounters } from "../../../../lib/pubsub/broker/nats/topic_counters.ts";
import { headers } from "@nats-io/transport-node";
import { deadline, until } from "../../../support/deadline.ts";
import { NatsServer } from "../../../support/nats.ts";
import { Gateway, testPair } from "./support.ts";

/** Subscribes, and counts what comes and what is missed. */
async function count(gateway: Gateway, filter: string) {
  const client = await gateway.client();
  const got: string[] = [];
  const missed: MissedPublications[] = [];
  const subscription = await client.subscribe(filter, { onMissed: (told) => missed.push(told) });
  void (async () => {
    for await (const message of subscription) got.push(message.text());
  })();
  return {
    client,
    got,
    missed,
    missedCount: () => missed.reduce((sum, each) => sum + each.count!, 0),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

testPair("what a restart of NATS costs a subscriber is told exactly", async ({
  server,
  left,
  gateways: [one, other],
}) => {
  await using plain = await count(other, "t.>");
  await using twice = await count(other, "t.*");
  let sent = 0;
  const send = async (n: number) => {
    for (let i = 0; i < n; i++) await left.publish(`t.${sent % 3}`, String(sent++));
  };
  await send(100);
  await until(() => plain.got.length === 100);
  await server.kill();
  await until(() => !one.figures.connected && !other.figures.connected);
  await send(50);
  await server.restart();
  await until(() => one.figures.connected && other.figures.connected);
  // Nothing more is published: that something is missing is told all the same.
  for (const each of [plain, twice]) {
    await until(() => each.got.length + each.missedCount() === sent, "all is accounted for");
    assert(each.missed.every(({ reason, atLeast }) => reason === "lost" && !atLeast));
  }
  await send(100);
  await until(() => plain.got.length + plain.missedCount() === sent);
  assertEquals(plain.got.length, 200);
  assertEquals(plain.got.slice(100), Array.from({ length: 100 }, (_, i) => String(150 + i)));
});

testPair("a gateway that ends in order leaves no doubt; one that dies does", async ({
  server,
  gateways: [one],
  nats,
}) => {
  await using watcher = await count(one, "t.>");
  const third = await Gateway.start(server.url);
  const client = await third.client();
  for (let i = 0; i < 100; i++) await client.publish("t.a", String(i));
  await until(() => watcher.got.length === 100);
  await client.close();
  await third[Symbol.asyncDispose]();
  await until(() => one.figures.brokers === 1);
  // A gateway's start that says nothing any more.
  const told = (more: object) => JSON.stringify({ gateway: "dead", last: 1, ...more });
  nats.publish("_socktool.told", told({}));
  const sent = headers();
  sent.set("Socktool-From", "dead 1 1");
  nats.publish("t.b", "last words", { headers: sent });
  nats.publish("t.b", "twice", { headers: sent });
  await nats.flush();
  await until(() => one.figures.brokers === 2);
  const times: number[] = [];
  while (times.length < 3) {
    const askedAt = performance.now();
    await using _ = await watcher.client.subscribe(`once.${times.length}`);
    times.push(performance.now() - askedAt);
  }
  // An answer is waited for a second where NATS does not say that nobody is there.
  assert(Math.min(...times) < 500, `${times} ms until a subscription is in force`);
  await until(() => watcher.missed.length > 0, "the death is told");
  const { filter, count: missed, atLeast, reason } = watcher.missed[0]!;
  assertEquals([filter, missed, atLeast, reason], ["t.>", 0, true, "lost"]);
  assertEquals(watcher.got.slice(100), ["last words"]);
});

Deno.test("a subscriber hears everything from its ok on, in a gateway that has just begun", async () => {
  await using server = await NatsServer.start("a new gateway");
  if (server === undefined) return;
  await using one = await Gateway.start(server.url);
  await using other = await Gateway.start(server.url);
  await using right = await other.client();
  for (let round = 0; round < 30; round++) {
    await using watcher = await count(one, `t.${round}.>`);
    for (let i = 0; i < 10; i++) void right.publish(`t.${round}.x`, String(i));
    await until(() => watcher.got.length === 10);
  }
});

function filter(openedAt: number): OpenFilter {
  return {
    filter: ">",
    openedAt,
    closedAt: Infinity,
    opens: 1,
    ready: Promise.resolve(undefined),
    subscription: undefined,
    since: new Map(),
  };
}

Deno.test("Origins: doubles are found, gaps are counted once, and only what was due counts", () => {
  const origins = new Origins();
  const via = filter(1);
  origins.heard("g", 5, 0);
  // A counter that is older than what is known of the gateway: what came before is unknown.
  assertEquals(origins.received("g", 5, 7, "t", via), 0);
  assertEquals(origins.received("g", 5, 7, "t", via), -1);
  assertEquals(origins.received("g", 5, 10, "t", via), 2);
  assertEquals(origins.announced("g", 5, 12, "t", via), 2);
  assertEquals(origins.announced("g", 5, 12, "t", via), 0);
  assertEquals(origins.received("g", 5, 12, "t", via), -1);
  assertEquals(origins.received("g", 5, 13, "t", via), 0);
  // The topic has another counter: all of that is due.
  assertEquals(origins.received("g", 6, 3, "t", via), 2);
  assertEquals(origins.received("g", 5, 14, "t", via), -1);
  // A counter that began when the subscription was in force.
  assertEquals(origins.announced("g", 7, 4, "u", via), 4);
  // While nobody subscribed, nothing was due.
  via.closedAt = 2;
  const later = filter(3);
  later.since.set("g", 7);
  assertEquals(origins.received("g", 7, 9, "u", later), 0);
  assertEquals(origins.received("g", 8, 2, "v", later), 1);
  // One that was there before the other ended brought everything meanwhile.
  const overlapping = filter(1.5);
  assertEquals(origins.received("g", 6, 5, "t", overlapping), 1);
  // Nobody knows this gateway.
  assertEquals(origins.received("x", 1, 9, "t", via), 0);
  assertEquals(origins.silent(3_500), []);
  assertEquals(origins.silent(3_501).toSorted(), ["t", "u", "v"]);
  assertEquals(origins.alive, []);
  assertEquals(origins.silent(4_000), []);
});

Deno.test("TopicCounters: a topic that comes again after too many others has another counter", () => {
  const counters = new TopicCounters();
  const first = counters.of("t");
  counters.add(first);
  for (let i = 0; i < 65_536; i++) counters.of(`other.${i}`);
  assert(first.isOver);
  const second = counters.of("t");
  counters.add(second);
  assert(second.number > first.number);
  assertEquals(counters.takeChanged(1, 1), [first]);
  assertEquals(counters.takeChanged(9, 2).map(({ topic, count }) => [topic, count]), [["t", 1]]);
  assertEquals(counters.takeChanged(9, 3), []);
  // The first one is over: nobody asks for it any more.
  counters.takeAgain(1);
  assertEquals(counters.takeChanged(9, 4), [second]);
  counters.takeAgain(5);
  assertEquals(counters.takeChanged(9, 5), []);
});

Deno.test("Origins: what a gateway told while nothing of it came is asked for until it is told again", () => {
  const origins = new Origins();
  assertEquals(origins.told("g", 0, true), undefined);
  origins.heard("g", 0, 0);
  // It has told twice before it was known: no subscription began before that.
  assertEquals(origins.told("g", 2, false), undefined);
  assertEquals(origins.told("g", 2, true), undefined);
  assertEquals(origins.told("g", 3, true), undefined);
  assertEquals(origins.told("g", 4, false), undefined);
  assertEquals(origins.told("g", 7, false), 5);
  assertEquals(origins.told("g", 7, true), 5);
  assertEquals(origins.told("g", 8, true, 6), 5);
  assertEquals(origins.told("g", 9, true, 5), undefined);
  assertEquals(origins.told("g", 10, true), undefined);
  // What is lost while others are told again is not among these.
  assertEquals(origins.told("g", 12, true), 12);
  assertEquals(origins.told("g", 14, true, 12, 12), 13);
  assertEquals(origins.told("g", 15, true, 13, 15), undefined);
});

Deno.test("publishers wait while NATS takes nothing, and nothing is lost", async () => {
  await using server = await NatsServer.start("back-pressure");
  if (server === undefined) return;
  await using one = await Gateway.start(server.url);
  // What NATS holds comes at once then: more than waits for a subscriber by default.
  const broker = { maxPendingBytes: 67_108_864 };
  await using other = await Gateway.start(server.url, { broker });
  await using left = await one.client();
  await using watcher = await count(other, "t");
  server.signal("SIGSTOP");
  const content = "x".repeat(100_000);
  let sent = 0;
  const publishing = (async () => {
    for (let i = 0; i < 400; i++, sent++) await left.publish("t", content);
  })();
  await until(() => sent > 100);
  server.signal("SIGCONT");
  await deadline(publishing);
  await until(() => watcher.got.length + watcher.missedCount() === 400);
  assertEquals(watcher.missed, []);
});
