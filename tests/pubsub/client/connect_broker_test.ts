import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import { type ByteDuplex, connectBroker } from "../../../lib/pubsub/client/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf } from "./support.ts";

Deno.test("over a single connection a client lives as long as it does", async () => {
  const broker = await startBroker();
  const client = await connectBroker(await dial(broker.address));
  assertEquals(await client.publishConfirmed("t"), 0);
  await broker[Symbol.asyncDispose]();
  await deadline(client.finished);
  assertEquals(client.state, "closed");
  assertEquals(await codeOf(client.publish("t")), "closed");
});

Deno.test("a single connection is closed by the client, also if it cannot begin", async () => {
  await using broker = await startBroker();
  const once = await dial(broker.address);
  await assertRejects(() => connectBroker(once, { reconnect: {} }), TypeError, "a function");
  let closed = 0;
  const duplex: ByteDuplex = {
    read: (into) => once.read(into),
    write: (bytes) => once.write(bytes),
    close() {
      closed++;
      once.close();
    },
  };
  const signal = AbortSignal.abort(new Error("enough"));
  await assertRejects(() => connectBroker(duplex, { signal }), Error, "enough");
  assertEquals(closed, 1);
});

Deno.test("a function that makes no connection in time is given up; what it makes later is closed", async () => {
  await using broker = await startBroker();
  const gate = Promise.withResolvers<void>();
  let closed = false;
  const target = async (): Promise<ByteDuplex> => {
    await gate.promise;
    const conn = await dial(broker.address);
    return {
      read: (into) => conn.read(into),
      write: (bytes) => conn.write(bytes),
      close() {
        closed = true;
        conn.close();
      },
    };
  };
  assertEquals(await codeOf(connectBroker(target, { connectTimeoutMs: 30 })), "timed-out");
  gate.resolve();
  await until(() => closed);
});

Deno.test("what the function rejects with is what connecting rejects with", async () => {
  const failure = new Error("no way");
  const error = await assertRejects(() => connectBroker(() => Promise.reject(failure)));
  assert(error === failure);
});
