import { assert, assertEquals } from "@std/assert";
import { type PublishContent, PubSubError } from "../../../../lib/pubsub/mod.ts";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { sending } from "../../../../lib/pubsub/client/link/sent.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { unhandledRejections } from "../../../support/unhandled_rejections.ts";
import { startBroker } from "../../support.ts";
import { codeOf, FAST, restart } from "../support.ts";

Deno.test("a failure is told by the promise if somebody awaits it, else by the function", async () => {
  const told: PubSubError[] = [];
  const make = () => sending((error) => void told.push(error));
  const settled = async () => {
    for (let i = 0; i < 20; i++) await undefined;
  };
  const cause = new Error("no");
  const alone = make();
  alone.promise.of("a").of("b");
  alone.reject(cause);
  await settled();
  assertEquals(told.map(({ topic, code }) => [topic, code]), [["a", "not-sent"]]);
  assertEquals(told[0]!.cause, cause);
  assert(told[0]!.message.includes("a and 1 more"), told[0]!.message);
  for (const wait of ["before", "after"]) {
    const awaited = make();
    awaited.promise.of("c");
    const failure = wait === "before" ? awaited.promise.catch((error) => error) : undefined;
    awaited.reject(cause);
    assertEquals(await (failure ?? awaited.promise.catch((error) => error)), cause);
  }
  // Frames that are no publications are nobody's loss.
  make().reject(cause);
  await settled();
  assertEquals(told.length, 1);
});

Deno.test("a publication that nobody awaits never ends the program; onError and flush() tell", async () => {
  const broker = await startBroker();
  const errors: unknown[] = [];
  const client = await connectBroker(broker.address, {
    reconnect: { firstMs: 60_000, longestMs: 60_000 },
    maxBufferedBytes: 4_000,
    onError: (error) => void errors.push(error),
  });
  const told = async (code: string, topic: string, cause?: string) => {
    await until(() => errors.length > 0, `${code} is told`);
    const [error] = errors.splice(0);
    assert(error instanceof PubSubError);
    assertEquals([error.code, error.topic], [code, topic]);
    if (cause !== undefined) assert(String(error.cause).includes(cause), String(error.cause));
  };
  const count = await unhandledRejections(async () => {
    void client.publish("bad topic", "x");
    assertEquals(await codeOf(client.flush()), "bad-topic");
    await told("bad-topic", "bad topic");
    await client.flush();
    void client.publish("t", 5 as unknown as PublishContent);
    await told("not-sent", "t", "the number 5");
    void client.publish("t", "x", { fields: { big: 1n } });
    await told("not-sent", "t", "BigInt");
    assertEquals(await codeOf(client.flush()), "not-sent");
    void client.publish("_other.x", "x");
    assertEquals(await codeOf(client.flush()), "forbidden");
    await until(() => errors.length > 0);
    assertEquals((errors.splice(0)[0] as PubSubError).code, "forbidden");
    await client.subscribe("plain", { onMessage: (message) => void message.respond("x") });
    void client.publish("plain", "x");
    await told("not-sent", "plain", "wants no reply");
    // What somebody awaits is told to nobody else.
    assertEquals(await codeOf(client.publish("bad topic")), "bad-topic");
    assertEquals(await codeOf(client.publish("t", new Uint8Array(70_000_000))), "frame-too-large");
    await client.flush().catch(() => {});
    assertEquals(errors, []);
    await broker[Symbol.asyncDispose]();
    await until(() => client.state === "reconnecting");
    void client.publish("waits", "x".repeat(2_000));
    void client.publish("full", "x".repeat(5_000));
    await told("buffer-full", "full");
    await client.close();
    await told("closed", "waits");
    void client.publish("late", "x");
    await told("closed", "late");
    for (const code of ["buffer-full", "closed"]) {
      assertEquals(await codeOf(client.flush()), code);
    }
    await deadline(client.finished);
  });
  assertEquals(count, 0);
});

Deno.test("a confirmed publication whose time is up while disconnected is not sent later", async () => {
  const first = await startBroker();
  await using client = await connectBroker(first.address, { reconnect: FAST });
  await first[Symbol.asyncDispose]();
  await until(() => client.state === "reconnecting");
  assertEquals(await codeOf(client.publishConfirmed("t", "late", { timeoutMs: 20 })), "timed-out");
  assertEquals(client.bufferedBytes, 0);
  const kept = client.publishConfirmed("t", "kept");
  await using second = await restart(first);
  await deadline(kept);
  assertEquals(second.stats().published, 1);
});
