import { assert, assertEquals } from "@std/assert";
import { Gateways } from "../../../../lib/pubsub/broker/nats/gateways.ts";
import type { CoreLink } from "../../../../lib/pubsub/broker/nats/core_link.ts";
import type { Incoming } from "../../../../lib/pubsub/broker/nats/incoming.ts";
import { Origins } from "../../../../lib/pubsub/broker/nats/origins.ts";
import { TopicCounters } from "../../../../lib/pubsub/broker/nats/topic_counters.ts";
import type { SubscriptionEvents } from "../../../../lib/pubsub/broker/nats/wire/core_subscriptions.ts";
import type { NatsMessage } from "../../../../lib/pubsub/broker/nats/wire/nats_message.ts";
import { deadline } from "../../../support/deadline.ts";

/** What a gateway tells. */
interface Told {
  readonly topics: readonly (readonly [topic: string, number: number, count: number])[];
  readonly told: number;
  readonly again?: number;
  readonly until?: number;
}

/** A gateway without a cluster: what it tells is kept, and what others say can be handed to it. */
function alone() {
  const told: Told[] = [];
  const subscriptions = new Map<string, SubscriptionEvents>();
  const link = {
    connected: true,
    publish: (subject: string, data: Uint8Array) => {
      if (subject === "_socktool.told") told.push(JSON.parse(new TextDecoder().decode(data)));
    },
    subscribe: (subject: string, events: SubscriptionEvents) => subscriptions.set(subject, events),
    flush: () => Promise.resolve(),
  } as unknown as CoreLink;
  const counters = new TopicCounters();
  const gateways = new Gateways("me", link, link, new Origins(), counters, {} as Incoming);
  const starting = gateways.start();
  const hear = (subject: string, said: object) => {
    const data = new TextEncoder().encode(JSON.stringify(said));
    subscriptions.get(subject)!.received({ data, reply: "" } as NatsMessage);
  };
  let now = performance.now();
  return {
    told,
    counters,
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
