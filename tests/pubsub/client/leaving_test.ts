import { assert, assertEquals } from "@std/assert";
import { dial } from "../../../lib/net/mod.ts";
import {
  type Broker,
  type BrokerClient,
  type BrokerClientOptions,
  type ByteDuplex,
  connectBroker,
} from "../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { startBroker } from "../support.ts";
import { codeOf } from "./support.ts";

/** What a client's end may come upon: the client, its socket, and a signal that ends it. */
interface Leaving {
  readonly client: BrokerClient;
  readonly socket: Deno.Conn;
  readonly stop: AbortController;
}

/** Deliberate ends, whatever the connection is busy with: none is a will published for. */
const DELIBERATE: Record<string, (leaving: Leaving) => Promise<unknown>> = {
  "close()": ({ client }) => client.close(),
  "the end of its scope": ({ client }) => client[Symbol.asyncDispose](),
  "its signal": ({ client, stop }) => {
    stop.abort(new Error("enough"));
    return client.finished;
  },
  "drain()": ({ client }) => client.drain(),
  "a drain that is late": async ({ client }) => {
    await client.subscribe("asked", { onMessage: () => new Promise(() => {}) });
    await client.publishConfirmed("asked", "", { replyTo: "answers" });
    assertEquals(await codeOf(client.drain(20)), "timed-out");
  },
  "close() beside unread bytes": async ({ client }) => {
    await client.subscribe("flood", { onMessage: () => new Promise(() => {}) });
    for (let i = 0; i < 200; i++) void client.publish("flood", new Uint8Array(10_000));
    await client.flush();
    await client.close();
  },
  "close() beside what is being sent": async ({ client }) => {
    const sent = Array.from(
      { length: 10 },
      () => codeOf(client.publish("nobody", new Uint8Array(400_000))),
    );
    await undefined;
    const late = codeOf(client.publish("late", "x"));
    await client.close();
    for (const code of [...await Promise.all(sent), await late]) assertEquals(code, "disconnected");
  },
  "close() behind a stream that has not begun": async ({ client }) => {
    const content = new ReadableStream<Uint8Array>();
    const sent = codeOf(client.publish("t", { header: { "content-length": 5 }, content }));
    await client.close();
    assertEquals(await sent, "disconnected");
  },
};

/** Ends that the program did not want. */
const LOST: Record<string, (leaving: Leaving) => Promise<unknown>> = {
  "a lost connection": ({ client, socket }) => {
    socket.close();
    return client.finished;
  },
};

async function connect(
  broker: Broker,
  options: BrokerClientOptions,
): Promise<Leaving> {
  const stop = new AbortController();
  let socket!: Deno.Conn;
  const target = async (signal: AbortSignal): Promise<ByteDuplex> =>
    socket = await dial(broker.address, { signal });
  const { signal } = stop;
  const client = await connectBroker(target, { reconnect: false, signal, ...options });
  return { client, socket, stop };
}

Deno.test("a will is published for a connection that is lost, and for no end that the program wants", async (test) => {
  await using broker = await startBroker();
  await using watching = await connectBroker(broker.address);
  const wills = await watching.subscribe("wills.*");
  const gone = await watching.subscribe("_sys.disconnected");
  let left = 0;
  for (const [ways, isLost] of [[DELIBERATE, false], [LOST, true]] as const) {
    for (const [name, leave] of Object.entries(ways)) {
      await test.step(name, async () => {
        const will = { topic: "wills.me", content: new Uint8Array(3) };
        const leaving = await connect(broker, { will });
        await deadline(leave(leaving));
        const end = (await deadline(gone.next())).value!.json<{ reason: string }>();
        assertEquals(end.reason, isLost ? "closed" : "bye");
        await watching.publishConfirmed(`wills.end-${++left}`);
        const first = (await deadline(wills.next())).value!;
        if (isLost) {
          assertEquals(first.header["content-type"], "application/octet-stream");
          assertEquals([first.topic, first.content.length], ["wills.me", 3]);
          await deadline(wills.next());
        } else assertEquals(first.topic, `wills.end-${left}`);
      });
    }
  }
});

Deno.test("a will on a filter is refused before anything is connected", async () => {
  const bad = connectBroker("127.0.0.1:1", { will: { topic: "a.*" } });
  assertEquals(await codeOf(bad), "bad-topic");
});

Deno.test("a broker that does not answer holds up close() for a quarter of a second, not longer", async () => {
  await using broker = await startBroker();
  for (const isStuck of [false, true]) {
    let isMute = false;
    const target = async (signal: AbortSignal): Promise<ByteDuplex> => {
      const conn = await dial(broker.address, { signal });
      const closed = Promise.withResolvers<null>();
      return {
        read: async (into) => {
          const read = await conn.read(into).catch(() => null);
          return isMute ? await closed.promise : read;
        },
        async write(bytes) {
          if (!isStuck || !isMute) return await conn.write(bytes);
          await closed.promise;
          throw new Error("closed");
        },
        close() {
          conn.close();
          closed.resolve(null);
        },
      };
    };
    const client = await connectBroker(target);
    const asked = codeOf(client.request("nobody.answers", "", { timeoutMs: 60_000 }));
    isMute = true;
    const begunAt = performance.now();
    const closing = client.close();
    // What is pending is rejected at once.
    assertEquals(await asked, "closed");
    await deadline(closing);
    assert(performance.now() - begunAt >= 200);
    await until(() => broker.connections().length === 0);
  }
});
