import { assertEquals, assertThrows } from "@std/assert";
import { connectBroker, type PubSubMessage } from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf } from "./support.ts";

/** The texts of replies. */
async function textsOf(replies: AsyncIterable<PubSubMessage>): Promise<string[]> {
  const texts: string[] = [];
  for await (const reply of replies) texts.push(reply.text());
  return texts;
}

Deno.test("a request takes replies until there are enough, the time is up, or one is the end", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using other = await connectBroker(broker.address);
  for (const server of [client, other]) {
    await server.subscribe("ask", {
      onMessage(message) {
        for (const text of ["1", "2", ""]) void message.respond(text);
      },
    });
  }
  await client.subscribe("silent", { onMessage: () => {} });
  const all = await textsOf(client.requestMany("ask", "", { maxReplies: 6 }));
  assertEquals(all.toSorted(), ["", "", "1", "1", "2", "2"]);
  assertEquals((await textsOf(client.requestMany("ask", "", { maxReplies: 2 }))).length, 2);
  const isEnd = ({ content }: PubSubMessage) => content.length === 0;
  const ended = await textsOf(client.requestMany("ask", "", { isEnd }));
  assertEquals(ended.slice(0, 2), ["1", "2"]);
  assertEquals(await textsOf(client.requestMany("silent", "", { timeoutMs: 20 })), []);
  assertEquals(await codeOf(textsOf(client.requestMany("nobody"))), "no-receivers");
  for await (const _ of client.requestMany("ask")) break;
  assertEquals((await deadline(client.request("ask"))).text(), "1");
  assertThrows(() => client.requestMany("bad topic"), Error, "bad topic");
});

Deno.test("replies that nobody takes have a bound; a lost connection ends them with an error", async () => {
  const broker = await startBroker();
  await using client = await connectBroker(broker.address, {
    maxQueuedMessages: 10,
    reconnect: { firstMs: 60_000 },
  });
  await client.subscribe("ask", {
    onMessage(message) {
      for (let i = 0; i < 50; i++) void message.respond(String(i));
    },
  });
  const many = client.requestMany("ask");
  await until(() => broker.stats().published === 51);
  await client.flush();
  let taken = 0;
  const failure = await codeOf((async () => {
    for await (const _ of many) taken++;
  })());
  assertEquals([failure, taken], ["slow-consumer", 10]);
  await client.subscribe("silent", { onMessage: () => {} });
  const cut = client.requestMany("silent");
  await client.flush();
  await broker[Symbol.asyncDispose]();
  assertEquals(await codeOf(textsOf(cut)), "disconnected");
});

Deno.test("a subscription ends after max messages, and leaves the others of its filter", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await client.publish("t", "kept", { retain: true });
  const three = await client.subscribe("t", { max: 3 });
  const all: string[] = [];
  const publish = (text: string) => client.publishConfirmed("t", text);
  await publish("1");
  await client.subscribe("t", { onMessage: (message) => void all.push(message.text()) });
  for (const text of ["2", "3", "4"]) await publish(text);
  assertEquals(await deadline(textsOf(three)), ["kept", "1", "2"]);
  await until(() => all.length === 4);
  assertEquals(all, ["kept", "2", "3", "4"]);
  const alone = await client.subscribe("alone", { max: 1, group: "g" });
  assertEquals(await client.publishConfirmed("alone", "x"), 1);
  assertEquals(await client.publishConfirmed("alone", "y"), 0);
  assertEquals(await deadline(textsOf(alone)), ["x"]);
});

Deno.test("noLocal leaves out what the client publishes, also beside other filters that match", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using other = await connectBroker(broker.address);
  const seen = { alone: [] as string[], beside: [] as string[], all: [] as string[] };
  const note = (list: string[], noLocal: boolean) => ({
    noLocal,
    onMessage: (message: PubSubMessage) => void list.push(message.text()),
  });
  await client.subscribe("a.alone", note(seen.alone, true));
  await client.subscribe("b.x", note(seen.beside, true));
  await client.subscribe("b.>", note(seen.all, false));
  for (const topic of ["a.alone", "b.x"]) {
    await client.publishConfirmed(topic, "mine");
    await client.publishConfirmed(topic, "mine too", { contentType: "x/y" });
    await other.publishConfirmed(topic, "theirs");
  }
  await until(() => seen.all.length === 3);
  assertEquals(seen, {
    alone: ["theirs"],
    beside: ["theirs"],
    all: ["mine", "mine too", "theirs"],
  });
});

Deno.test("a refused subscription leaves nothing behind", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address, { onError: () => {} });
  const called: string[] = [];
  for (let i = 0; i < 3; i++) {
    const onMessage = () => void called.push("called");
    assertEquals(
      await codeOf(client.subscribe("_sys.x", { onMessage, noLocal: true })),
      "forbidden",
    );
  }
  assertEquals(broker.stats().subscriptions, 0);
  await using watching = await connectBroker(broker.address);
  const seen = await watching.subscribe("t");
  await client.publishConfirmed("t", "x");
  // It would be marked while there is a subscription with noLocal.
  assertEquals("origin-client" in (await seen.next()).value!.header, false);
  assertEquals(called, []);
  await client.drain();
});
