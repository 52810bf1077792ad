import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  BrokerClient,
  ClientStreams,
  ClientSubscription,
  connectBroker,
  ConsumedMessage,
  Consumption,
  type NackOptions,
  type PubSubMessage,
} from "../../../lib/pubsub/mod.ts";
import { redirectErrors } from "../../../lib/base/report.ts";
import { deadline, until } from "../../support/deadline.ts";
import { unhandledRejections } from "../../support/unhandled_rejections.ts";
import { storedTests } from "./kept_orders.ts";
import { codeOf } from "./support.ts";

const storedTest = storedTests("the brokers of programs that await nothing are stopped");

/** What a program has in its hands when it gives an order. */
interface Hands {
  readonly client: BrokerClient;
  readonly subscription: ClientSubscription;
  readonly job: ConsumedMessage;
  readonly message: PubSubMessage;
}

/** An order, and what is wrong with it. */
type Order = readonly [what: string, give: (hands: Hands) => Promise<unknown>];

const wrong = <T>(value: unknown): T => value as T;

/** By a class and a method: what is wrong by itself. */
const WRONG_ORDERS: Record<string, Order[]> = {
  "BrokerClient.publish": [
    ["a bad topic", ({ client }) => client.publish("a..b", "x")],
    ["a topic that is no text", ({ client }) => client.publish(wrong(Symbol("a")), "x")],
    ["content of a wrong type", ({ client }) => client.publish("t", wrong(5))],
  ],
  "BrokerClient.publishConfirmed": [
    ["a bad topic", ({ client }) => client.publishConfirmed("a..b")],
    ["a topic that is no text", ({ client }) => client.publishConfirmed(wrong(Symbol("a")))],
    ["what the broker refuses", ({ client }) => client.publishConfirmed("_sys.x")],
  ],
  "BrokerClient.confirm": [
    ["content of a wrong type", ({ client }) => client.confirm("t", wrong({}))],
    ["a wrong option", ({ client }) => client.confirm("t", "", { timeoutMs: -1 })],
  ],
  "BrokerClient.publishStored": [
    ["content of a wrong type", ({ client }) => client.publishStored("orders.a", wrong(null))],
    ["a wrong option", ({ client }) => client.publishStored("orders.a", "", { expectSeq: -1 })],
    ["what no stream keeps", ({ client }) => client.publishStored("other", "x")],
  ],
  "BrokerClient.subscribe": [
    ["a bad filter", ({ client }) => client.subscribe("a..b")],
    ["a wrong option", ({ client }) => client.subscribe("a", { onMessage: wrong(5) })],
  ],
  "BrokerClient.drain": [["a wrong time", ({ client }) => client.drain(-1)]],
  "ClientStreams.create": [
    ["no name", ({ client }) => client.streams.create(wrong(5), { topics: ["a"] })],
    ["a bad name", ({ client }) => client.streams.create("a.b", { topics: ["a"] })],
  ],
  "ClientStreams.update": [["no stream", ({ client }) => client.streams.update("none", {})]],
  "ClientStreams.delete": [["no stream", ({ client }) => client.streams.delete("none")]],
  "ClientStreams.purge": [
    ["no stream", ({ client }) => client.streams.purge("none")],
    ["a wrong filter", ({ client }) => client.streams.purge("orders", { filter: wrong(5) })],
  ],
  "ClientStreams.deleteConsumer": [
    ["no consumer", ({ client }) => client.streams.deleteConsumer("orders", "none")],
  ],
  "ClientStreams.resetConsumer": [
    ["a wrong place", ({ client }) => client.streams.resetConsumer("orders", "c", wrong({}))],
  ],
  "ClientStreams.redrive": [
    ["no consumer", ({ client }) => client.streams.redrive("orders", "none")],
  ],
  "ClientSubscription.drain": [
    ["a wrong time", ({ subscription }) => subscription.drain(wrong("5s"))],
  ],
  "PubSubMessage.respond": [["no reply is wanted", ({ message }) => message.respond("x")]],
  "ConsumedMessage.nack": [
    ["a wrong time", ({ job }) => job.nack({ delayMs: wrong("5s") })],
    ["no options", ({ job }) => job.nack(wrong(5))],
  ],
};

/** What fails because the connection is lost, or the client closed, meanwhile. */
const LATE_ORDERS: Record<string, Order> = {
  "BrokerClient.flush": ["late", ({ client }) => client.flush()],
  "ConsumedMessage.ack": ["late", ({ job }) => job.ack()],
  "ConsumedMessage.nack": ["late", ({ job }) => job.nack()],
  "ConsumedMessage.working": ["late", ({ job }) => job.working()],
  "BrokerClient.publishConfirmed": ["late", ({ client }) => client.publishConfirmed("t")],
  "BrokerClient.publishStored": ["late", ({ client }) => client.publishStored("orders.a")],
  "BrokerClient.subscribe": ["late", ({ client }) => client.subscribe("t")],
  "ClientStreams.purge": ["late", ({ client }) => client.streams.purge("orders")],
};

/** What the program wants to know, and awaits therefore. */
const QUESTIONS = [
  "BrokerClient.request",
  "BrokerClient.start",
  "ClientStreams.info",
  "ClientStreams.list",
  "ClientStreams.consumers",
  "ClientStreams.consumer",
  "ClientStreams.backup",
  "ClientSubscription.next",
  "Consumption.next",
];

/** What does not fail. */
const SURE = [
  "BrokerClient.close",
  "ClientSubscription.unsubscribe",
  "ClientSubscription.return",
  "ClientSubscription.begin",
  "Consumption.stop",
  "Consumption.return",
];

/** What gives no promise. */
const NO_PROMISES = [
  "BrokerClient.requestMany",
  "BrokerClient.replay",
  "BrokerClient.consume",
  "ClientSubscription.push",
  "ClientSubscription.pushMissed",
  "ClientSubscription.handOut",
  "ClientSubscription.end",
  "ClientSubscription.requests",
];

Deno.test("it is settled of each method of a client what becomes of a promise that nobody awaits", () => {
  const settled = new Set([
    ...Object.keys(WRONG_ORDERS),
    ...Object.keys(LATE_ORDERS),
    ...QUESTIONS,
    ...SURE,
    ...NO_PROMISES,
  ]);
  for (
    const type of [BrokerClient, ClientStreams, ClientSubscription, Consumption, ConsumedMessage]
  ) {
    const methods = Object.entries(Object.getOwnPropertyDescriptors(type.prototype))
      .filter(([name, { value }]) => name !== "constructor" && typeof value === "function");
    for (const [name] of methods) {
      assert(settled.has(`${type.name}.${name}`), `${type.name}.${name}`);
    }
  }
});

storedTest(
  "an order that fails tells whoever awaits it, or else onError, and does not end the program",
  async ({ client, errors }) => {
    await client.publishStored("orders.a", "1");
    const { value: job } = await client.consume("orders", "c", { prefetch: 1 }).next();
    const subscription = await client.subscribe("t");
    await client.publish("t", "x");
    const { value: message } = await subscription.next();
    const hands: Hands = { client, subscription, job: job!, message: message! };
    const count = await unhandledRejections(async () => {
      for (const [name, orders] of Object.entries(WRONG_ORDERS)) {
        for (const [what, give] of orders) {
          assertNotEquals(await codeOf(give(hands)), "done", `${name}: ${what}`);
          assertEquals(told(errors), [], `${name}, awaited: ${what}`);
          void give(hands);
          await until(() => errors.length > 0, `${name} is told of: ${what}`);
          assertEquals(told(errors).length, 1, `${name}: ${what}`);
        }
      }
    });
    assertEquals(count, 0);
  },
);

/** What onError was told of, which is forgotten. */
function told(errors: readonly unknown[]): unknown[] {
  return (errors as unknown[]).splice(0);
}

storedTest(
  "orders that a lost connection or a closed client undoes end no program",
  async (kit) => {
    const told: string[] = [];
    const without = redirectErrors((error, what) => told.push(`${what}: ${error}`));
    const client = await connectBroker(kit.address, { reconnect: { firstMs: 1, longestMs: 20 } });
    const names = Object.keys(LATE_ORDERS);
    const jobs = client.consume("orders", "c", { prefetch: 10 });
    const subscription = await client.subscribe("t");
    await client.publish("t", "x");
    const { value: message } = await subscription.next();
    const take = async () => {
      await kit.client.publishStored("orders.a", "x");
      return (await deadline(jobs.next())).value!;
    };
    const count = await unhandledRejections(async () => {
      const lost = await take();
      await kit.restart();
      await until(() => client.state === "connected");
      void lost.ack();
      await until(() => told.length === 1, "that the connection was lost is told of");
      assert(told[0]!.startsWith("The ack of orders:1 failed: PubSubError"), told[0]);
      told.length = 0;
      const hands = { client, subscription, message: message!, job: await take() };
      await client.close();
      for (const name of names) {
        void LATE_ORDERS[name]![1](hands);
        await until(() => told.length > 0, `${name} is told of`);
        assertEquals(told.splice(0).length, 1, name);
        assertNotEquals(await codeOf(LATE_ORDERS[name]![1](hands)), "done", name);
      }
      assertEquals(told, []);
    });
    assertEquals(count, 0);
    without[Symbol.dispose]();
  },
);

storedTest("a handler that gives back in a wrong way has not acknowledged", async (kit) => {
  const { client, errors } = kit;
  const attempts: number[] = [];
  await client.publishStored("orders.a", "1");
  const jobs = client.consume("orders", "c", {
    ackWaitMs: 50,
    onMessage(job) {
      attempts.push(job.attempt);
      if (job.attempt === 1) void job.nack(5 as unknown as NackOptions);
    },
  });
  await until(() => attempts.length >= 2, "it is delivered again");
  await jobs.stop();
  assertEquals(attempts.slice(0, 2), [1, 2]);
  // On a busy machine the ack of the second may be late as well, and told of.
  assertEquals(errors.filter((error) => error instanceof TypeError).length, 1);
});
