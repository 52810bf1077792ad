import { assert, assertEquals } from "@std/assert";
import { Gateways } from "../../../../lib/pubsub/broker/nats/gateways.ts";
import type { CoreLink } from "../../../../lib/pubsub/broker/nats/core_link.ts";
import type { Incoming } from "../../../../lib/pubsub/broker/nats/incoming.ts";
import { Origins } from "../../../../lib/pubsub/broker/nats/origins.ts";
import { TopicCounters } from "../../../../lib/pubsub/broker/nats/topic_counters.ts";
import type { SubscriptionEvents } from "../../../../lib/pubsub/broker/nats/wire/core_subscriptions.ts";
import type { NatsMessage } from "../../../../lib/pubsub/broker/nats/wire/nats_message.ts";
import { deadline, until } from "../../../support/deadline.ts";

/** What a gateway tells. */
interface Told {
  readonly topics: readonly (readonly [topic: string, number: number, count: number])[];
  readonly told: number;
  readonly again?: number;
  readonly until?: number;
}

/** A gateway without a cluster: what it tells is kept, and what others say can be handed to it. */
function alone(incoming: Partial<Incoming> = {}) {
  const told: Told[] = [];
  const again: number[] = [];
  const subscriptions = new Map<string, SubscriptionEvents>();
  const link = {
    connected: true,
    publish: (subject: string, data: Uint8Array) => {
      const said = JSON.parse(new TextDecoder().decode(data));
      if (subject === "_socktool.told") told.push(said);
      if (subject === "_socktool.again.other") again.push(said.again);
    },
    subscribe: (subject: string, events: SubscriptionEvents) => subscriptions.set(subject, events),
    flush: () => Promise.resolve(),
  } as unknown as CoreLink;
  const counters = new TopicCounters();
  const gateways = new Gateways("me", link, link, new Origins(), counters, incoming as Incoming);
  const starting = gateways.start();
  const hear = (subject: string, said: object) => {
    const data = new TextEncoder().encode(JSON.stringify(said));
    subscriptions.get(subject)!.received({ data, reply: "" } as NatsMessage);
  };
  let now = performance.now();
  return {
    told,
    again,
    counters,
    /** Another one tells of topics, in the message with this number. */
    hear: (number: number, topics: readonly string[]) =>
      hear("_socktool.told", {
        gateway: "other",
        last: 1,
        told: number - 1,
        topics: topics.map((topic) => [topic, 1, 1]),
      }),
    askAgain: (again: number) =>
      hear("_socktool.again.me", { gateway: "other", last: 0, told: 0, again }),
    /** Has it tell, and waits until it has. */
    async tell(): Promise<Told[]> {
      const before = told.length;
      await deadline(Promise.resolve(gateways.tell(now += 1_000)));
      return told.slice(before);
    },
    async [Symbol.asyncDispose]() {
      await gateways.end();
      await starting;
    },
  };
}

/** More topics than are told in one second. */
const TOPICS = 60_000;

Deno.test("however many topics there are, they are told again once, though it is asked for all the time", async () => {
  await using gateway = alone();
  const { counters } = gateway;
  for (let i = 0; i < TOPICS; i++) counters.add(counters.of(`t.${i}`));
  let told: Told[] = [];
  while (told.at(-1)?.topics.length !== TOPICS % 500) {
    told = await gateway.tell();
    assert(told.length <= 101, "one second has its share");
  }
  const first = gateway.told.length;
  assertEquals(
    new Set(gateway.told.flatMap(({ topics }) => topics.map(([topic]) => topic))).size,
    TOPICS,
  );
  let seconds = 0;
  for (told = []; told.at(-1)?.again === undefined; seconds++) {
    gateway.askAgain(3);
    told = await gateway.tell();
  }
  assertEquals(seconds, 2);
  const { again, until } = told.at(-1)!;
  assertEquals([again, until], [3, first]);
  const retold = gateway.told.slice(first).flatMap(({ topics }) => topics);
  assertEquals(retold.length, TOPICS - 1_000, "all but those of the first two messages");
  assertEquals((await gateway.tell())[0]!.topics, []);
});

/** Names of so many topics. */
function named(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => `t.${first + i}`);
}

Deno.test("topics that others tell of are looked at in order, and others have their turn between", async () => {
  const seen: string[] = [];
  let isSlow = true;
  await using gateway = alone({
    announced(_gateway, _number, _count, topic) {
      seen.push(topic);
      const end = performance.now() + (isSlow ? 0.5 : 0);
      while (performance.now() < end);
    },
  });
  gateway.hear(1, named(30));
  gateway.hear(2, named(10, 30));
  assert(seen.length < 20, `${seen.length} in one go`);
  isSlow = false;
  await until(() => seen.length === 40);
  assertEquals(seen, named(40));
  gateway.hear(3, named(500));
  await until(() => seen.length === 540);
});

Deno.test("of topics that others tell of a bounded number waits; the rest is asked for again", async () => {
  let seen = 0;
  await using gateway = alone({
    announced() {
      const end = performance.now() + (++seen === 1 ? 1 : 0);
      while (performance.now() < end);
    },
  });
  const topics = named(500);
  for (let number = 1; number <= 202; number++) gateway.hear(number, topics);
  await until(() => seen === 100_000);
  assertEquals(gateway.again, []);
  gateway.hear(203, topics);
  await until(() => seen === 100_500);
  assertEquals(gateway.again, [201]);
});
