/** Streams that several gateways and clients of NATS share. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { headers } from "@nats-io/transport-node";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  connectBroker,
  type ConsumedMessage,
  type StreamMessage,
} from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { codeOf } from "../../client/support.ts";
import { nextOf, testPair } from "./support.ts";

const JETSTREAM = 'jetstream { store_dir: "$DIR/js" }\n';

async function next<T extends StreamMessage>(reading: AsyncIterator<T>): Promise<T> {
  const { value, done } = await deadline(reading.next(), "the next message of a stream");
  if (done) throw new Error("the reading has ended");
  return value;
}

testPair("what is done with streams at one gateway is in force at all", async (pair) => {
  const { left, right, nats } = pair;
  for (let i = 0; i < 5; i++) {
    const name = `s${i}`;
    await left.streams.create(name, { topics: [`${name}.>`] });
    // At once, everywhere: nothing is found out later.
    assertEquals((await right.publishStored(`${name}.a`, "right", { messageId: "m" })).seq, 1);
    const again = await left.publishStored(`${name}.a`, "left", { messageId: "m" });
    assertEquals([again.seq, again.duplicate], [1, true]);
    await right.streams.update(name, { topics: [`${name}.*`, `t${i}`] });
    assertEquals((await left.publishStored(`t${i}`, "2")).seq, 2);
    const reading = right.replay(name);
    assertEquals((await next(reading)).text(), "right");
    await left.streams.delete(name);
    const error = await deadline(
      (async () => {
        for await (const _ of reading);
      })().catch((error) => error),
    );
    assertEquals(error.code, "no-stream");
    assertEquals(await codeOf(right.publishStored(`${name}.a`, "x")), "no-stream");
  }
  // What a client of NATS keeps is there too, and what it publishes.
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name: "foreign", subjects: ["f.>"] });
  const sent = headers();
  sent.set("Nats-Msg-Id", "1");
  const js = jetstream(nats);
  for (let i = 0; i < 2; i++) await js.publish("f.a", "from NATS", { headers: sent });
  await until(async () => (await left.streams.list()).length === 1);
  await using plain = await right.subscribe("f.>");
  await left.publishStored("f.b", "from socktool", { fields: { n: 1 }, contentType: "text/x" });
  const { topic, header } = await nextOf(plain);
  assertEquals([topic, header["n"], header["content-type"]], ["f.b", 1, "text/x"]);
  assertEquals(header["reply-to"], undefined);
  const reading = left.replay("foreign");
  assertEquals([(await next(reading)).text(), (await next(reading)).text()], [
    "from NATS",
    "from socktool",
  ]);
  const consumer = { durable_name: "theirs", ack_policy: AckPolicy.Explicit, max_ack_pending: 7 };
  await manager.consumers.add("foreign", consumer);
  const theirs = await js.consumers.get("foreign", "theirs");
  const one = await theirs.next();
  assertEquals(one?.string(), "from NATS");
  one?.ack();
  const consuming = right.consume("foreign", "theirs", { maxUnacked: 7 });
  const message = await next(consuming);
  assertEquals([message.text(), message.header["n"]], ["from socktool", 1]);
  await message.ack();
  assertEquals((await manager.consumers.info("foreign", "theirs")).num_ack_pending, 0);
}, JETSTREAM);

testPair("a request on a topic that a stream keeps is answered by who takes it", async (pair) => {
  const { left, right } = pair;
  await left.streams.create("asked", { topics: ["ask.>"] });
  await right.subscribe("ask.>", { onMessage: (message) => message.respond("the answer") });
  for (let i = 0; i < 3; i++) {
    assertEquals((await left.request("ask.a", `${i}`)).text(), "the answer");
  }
  await until(async () => (await left.streams.info("asked")).count === 3);
}, JETSTREAM);

testPair("members at all gateways share a consumer, and a letter dies once", async (pair) => {
  const { left, right, server, nats } = pair;
  await left.streams.create("work", { topics: ["work.>"] });
  const options = { maxAttempts: 2, ackWaitMs: 500, prefetch: 4 };
  const got: [string, string, number][] = [];
  const dead: string[] = [];
  const take = (who: string) => async (message: ConsumedMessage) => {
    got.push([who, message.text(), message.attempt]);
    if (message.text().startsWith("bad")) await message.nack();
    else await message.ack();
  };
  const here = left.consume("work", "c", { ...options, onMessage: take("left") });
  const there = right.consume("work", "c", { ...options, onMessage: take("right") });
  await left.subscribe("_dead.work.*", { onMessage: (message) => void dead.push(message.text()) });
  for (let i = 0; i < 40; i++) {
    await left.publishStored("work.a", i % 10 === 9 ? `bad ${i}` : `${i}`);
  }
  await until(() => dead.length === 4);
  await until(async () => {
    const { pending, unacked } = await right.streams.consumer("work", "c");
    return pending + unacked === 0;
  });
  assertEquals(got.length, 44);
  for (const who of ["left", "right"]) assert(got.some(([name]) => name === who), who);
  const figures = await left.streams.consumer("work", "c");
  assertEquals([figures.dead, figures.unacked, figures.pending], [4, 0, 0]);
  // Both gateways have made the same consumer. Its letters are known by what is the same for all
  // servers: when a consumer was made is not, after a restart.
  const manager = await jetstreamManager(nats);
  const incarnation = async () => {
    const { config } = await manager.consumers.info("work", "c");
    return /"incarnation":"([^"]+)"/.exec(config.description!)![1]!;
  };
  const made = await incarnation();
  const ids: string[] = [];
  for (let seq = 1; seq <= 4; seq++) {
    const letter = await manager.streams.getMessage("_dead", { seq });
    ids.push(letter!.header.get("Nats-Msg-Id"));
  }
  assertEquals(ids.toSorted(), [10, 20, 30, 40].map((seq) => `work.c.${made}.${seq}`));
  await here.stop();
  await there.stop();
  await right.streams.resetConsumer("work", "c", "new");
  assertNotEquals(await incarnation(), made);

  // A letter that was delivered again is done with, also where it has been removed meanwhile.
  const redriven = left.consume("work", "c", options);
  assertEquals(await left.streams.redrive("work", "c"), 4);
  const letter = await next(redriven);
  await (await jetstreamManager(nats)).streams.purge("_dead");
  await letter.ack();
  await redriven.stop();

  // A gateway is killed as soon as the first of its letters is seen: the others go on where it was.
  const flags = ["--nats", server.url];
  const mortal = await ServerProgram.start(script("cmd/broker.ts", ":0", ...flags));
  await using client = await connectBroker(mortal.words.join(":"), { reconnect: false });
  client.consume("work", "killed", { ...options, maxAttempts: 1, from: "new", prefetch: 64 });
  await until(async () => (await left.streams.consumers("work")).length === 2);
  const letters: string[] = [];
  await right.subscribe("_dead.work.killed", {
    onMessage: (message) => {
      if (letters.push(message.text()) === 1) mortal.kill("SIGKILL");
    },
  });
  for (let i = 0; i < 20; i++) await left.publishStored("work.b", `k${i}`);
  await until(() => letters.length > 0);
  await mortal[Symbol.asyncDispose]();
  right.consume("work", "killed", { onMessage: (message) => message.nack() });
  await until(async () => (await right.streams.consumer("work", "killed")).dead === 20);
  const reading = left.replay("_dead", { filter: "_dead.work.killed", live: false });
  const kept: string[] = [];
  for await (const message of reading) kept.push(message.text());
  assertEquals(kept.toSorted(), Array.from({ length: 20 }, (_, i) => `k${i}`).toSorted());
}, JETSTREAM);

testPair("a letter comes again at a gateway that nobody told of it", async ({ left, nats }) => {
  await left.streams.create("work", { topics: ["work.>"] });
  const consuming = left.consume("work", "c", { maxAttempts: 1 });
  await left.publishStored("work.a", "poison");
  const dies = async () => {
    await (await next(consuming)).nack();
    await until(async () => (await left.streams.consumer("work", "c")).dead === 1);
  };
  await dies();
  const asked: string[] = [];
  const record = "_socktool.consumer.work.c";
  const made = "$JS.API.CONSUMER.*._dead.>";
  for (const subject of [record, made]) {
    nats.subscribe(subject, { callback: () => void asked.push(subject) });
  }
  await nats.flush();
  assertEquals(await left.streams.redrive("work", "c"), 1);
  // What can be asked for letters is there once all gateways can know which ones come.
  await nats.flush();
  assertEquals(asked.slice(0, 3), [made, record, made]);
  await dies();

  // Another gateway does that, and ends before it tells the others.
  const manager = await jetstreamManager(nats);
  const letters = await manager.consumers.info("_dead", "work=c");
  const noted = await manager.streams.getMessage("socktool_consumers", { last_by_subj: record });
  const { state } = await manager.streams.info("_dead");
  await manager.consumers.delete("_dead", "work=c");
  const written = { ...noted!.json<object>(), redrive: state.last_seq };
  await jetstream(nats).publish(record, JSON.stringify(written));
  await manager.consumers.add("_dead", {
    durable_name: letters.name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: letters.config.ack_wait!,
    filter_subject: letters.config.filter_subject!,
  });
  const again = await next(consuming);
  assertEquals([again.text(), again.attempt], ["poison", 1]);
  await again.ack();
  await until(async () => (await left.streams.consumer("work", "c")).dead === 0);
}, JETSTREAM);

testPair("what JetStream cannot do is refused by name", async ({ left, server, gateways }) => {
  const refused = (settings: object) =>
    codeOf(left.streams.create("x", { topics: ["x.>"], ...settings }));
  assertEquals(await refused({ sync: "interval" }), "bad-stream");
  assertEquals(await refused({ topics: ["*.a"] }), "bad-stream");
  assertEquals(await refused({ topics: [">"] }), "bad-stream");
  assertEquals(await refused({ topics: ["$x"] }), "bad-stream");
  assertEquals(await refused({ maxAgeMs: 10 }), "bad-stream");
  assertEquals(await refused({}), "done");
  const large = new Uint8Array(1_048_576);
  assertEquals(await codeOf(left.publishStored("x.a", large)), "frame-too-large");
  await server.kill();
  await until(() => !gateways[0].figures.connected);
  const error = await left.publishStored("x.a", "1", { timeoutMs: 300 }).catch((error) => error);
  assertEquals(error.code, "unavailable");
}, JETSTREAM);
