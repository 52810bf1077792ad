import { assert, assertEquals, assertRejects } from "@std/assert";
import type { OutgoingFrame } from "../../lib/frame/mod.ts";
import {
  connectRequests,
  exchange,
  type ExchangeOptions,
  RequestError,
  serveRequests,
} from "../../lib/request/mod.ts";
import { type Address, ConnectionError, type Peer } from "../../lib/net/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally, RawClient } from "../support/peers.ts";

const words = (count: number) => Array.from({ length: count }, (_, i) => ({ content: `${i}` }));

async function texts(
  address: Address,
  requests: Iterable<OutgoingFrame> | AsyncIterable<OutgoingFrame>,
  options: ExchangeOptions = {},
): Promise<string[]> {
  const all: string[] = [];
  for await (const { reply, index, latencyMs } of exchange(address, requests, options)) {
    assertEquals(index, all.length);
    assert(latencyMs >= 0);
    all.push(reply.text());
  }
  return all;
}

async function serveAndClose(conn: Deno.Conn, answers: number): Promise<void> {
  using client = new RawClient(conn);
  for (let i = 0; i < answers; i++) {
    const request = await client.answer();
    if (!request) return;
    await client.send({ content: request.text() });
  }
  // What was sent still arrives: closing with bytes unread would make it a reset.
  await client.closeWrite().catch(() => {});
  await client.closed();
}

/** A server that echoes, and closes each connection after so many answers. */
async function closingServer(answersPerConnection: number) {
  const listener = await listenLocally();
  let connections = 0;
  const serving = (async () => {
    const open: Promise<void>[] = [];
    try {
      while (true) {
        const conn = await listener.accept();
        connections++;
        open.push(serveAndClose(conn, answersPerConnection));
      }
    } catch {
      // The listener was closed.
    }
    await Promise.all(open);
  })();
  return {
    address: listener.address,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      await deadline(serving, "the end of the closing server");
    },
  };
}

Deno.test("answers come in the order of the requests, however many are under way", async () => {
  await using server = serveRequests(await listenLocally(), async (request) => {
    const content = request.text();
    await pause(Number(content) % 2);
    return { content };
  });
  const due = words(100).map(({ content }) => content);
  for (const pipeline of [undefined, 1, 2, 7, 100, 1_000, Infinity]) {
    assertEquals(await deadline(texts(server.address, words(100), { pipeline })), due);
  }
  assertEquals(await texts(server.address, []), []);
});

Deno.test("no more requests are under way than pipeline says", async () => {
  let working = 0;
  let most = 0;
  await using server = serveRequests(await listenLocally(), async () => {
    most = Math.max(most, ++working);
    await pause(1);
    working--;
    return { content: "x" };
  });
  await texts(server.address, words(40), { pipeline: 5 });
  assertEquals(most, 5);
  most = 0;
  await texts(server.address, words(10));
  assertEquals(most, 1);
});

for (const perConnection of [1, 3]) {
  for (const pipeline of [1, 2, 3, 16]) {
    Deno.test(`a server that closes after ${perConnection} answers answers all, ${pipeline} at a time`, async () => {
      await using server = await closingServer(perConnection);
      const due = words(20).map(({ content }) => content);
      assertEquals(await deadline(texts(server.address, words(20), { pipeline })), due);
      assert(server.connections >= 20 / perConnection);
    });
  }
}

Deno.test("a long pipeline is sent again, too, when a server closes in its middle", async () => {
  await using server = await closingServer(2_000);
  const answers = await deadline(texts(server.address, words(6_000), { pipeline: 3_000 }));
  assertEquals(answers, words(6_000).map(({ content }) => content));
});

Deno.test("a server that closes without an answer is an error", async () => {
  for (const pipeline of [1, 4]) {
    await using server = await closingServer(0);
    const error = await assertRejects(
      () => deadline(texts(server.address, words(3), { pipeline })),
      ConnectionError,
    );
    assert(["closed", "reset"].includes(error.code), error.code);
  }
});

Deno.test("a server that cannot be reached is an error", async () => {
  await assertRejects(() => texts(ownAddress(), words(1)), ConnectionError, "refused");
});

Deno.test("a server that does not answer in time is an error", async () => {
  await using server = serveRequests(await listenLocally(), () => new Promise(() => {}), {
    drainTimeoutMs: 0,
  });
  const error = await assertRejects(
    () => deadline(texts(server.address, words(2), { answerTimeoutMs: 50 })),
    ConnectionError,
  );
  assertEquals(error.code, "timed-out");
});

Deno.test("requests that come slowly are answered as they come", async () => {
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: request.text(),
  }));
  let answered = 0;
  async function* slow() {
    for (let i = 0; i < 5; i++) {
      // Each waits for the answer to the one before, also where more could be under way.
      await until(() => answered === i);
      yield { content: `${i}` };
    }
  }
  for (const pipeline of [1, 10]) {
    answered = 0;
    for await (const { reply } of exchange(server.address, slow(), { pipeline })) {
      assertEquals(reply.text(), `${answered++}`);
    }
    assertEquals(answered, 5);
  }
});

Deno.test("a connection that ended while there was nothing to ask is replaced", async () => {
  for (const answersBefore of [0, 1]) {
    const closed = Promise.withResolvers<void>();
    const observer = { closed: () => closed.resolve() };
    await using server = serveRequests(await listenLocally(), () => ({ content: "x" }), {
      observer,
      firstByteTimeoutMs: 30,
      idleTimeoutMs: 30,
    });
    const late = async function* () {
      if (answersBefore > 0) yield { content: "early" };
      await deadline(closed.promise);
      // The client has to see it, too.
      await pause(50);
      yield { content: "late" };
    };
    assertEquals((await deadline(texts(server.address, late()))).at(-1), "x");
  }
});

Deno.test("a source of requests that fails ends the exchange with its error", async () => {
  let answering = 0;
  await using server = serveRequests(await listenLocally(), async () => {
    answering++;
    await pause(20);
    answering--;
    return { content: "x" };
  });
  async function* failing(after: number) {
    for (let i = 0; i < after; i++) yield { content: `${i}` };
    await Promise.resolve();
    throw new Error("no more of this");
  }
  for (const pipeline of [1, 2, 10]) {
    for (const after of [0, 1, 3]) {
      await assertRejects(
        () => deadline(texts(server.address, failing(after), { pipeline })),
        Error,
        "no more of this",
      );
    }
  }
  await until(() => answering === 0, "no handler is left over");
});

Deno.test("a reader that has enough ends the exchange, and the source is told", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }));
  let told = false;
  async function* endless() {
    try {
      while (true) yield { content: "?" };
    } finally {
      told = true;
    }
  }
  let count = 0;
  for await (const _ of exchange(server.address, endless(), { pipeline: 4 })) {
    if (++count === 10) break;
  }
  await until(() => told);
  await until(() => server.connections.size === 0);
});

Deno.test("an exchange that is aborted ends at once, whatever it waits for", async () => {
  const forever = new Promise<never>(() => {});
  await using server = serveRequests(
    await listenLocally(),
    (request) => request.text() === "stuck" ? forever : { content: "x" },
    { drainTimeoutMs: 0 },
  );
  const sources: Record<string, () => AsyncGenerator<OutgoingFrame>> = {
    async *"an answer"() {
      yield { content: "stuck" };
    },
    async *"the first request"() {
      yield await forever;
    },
    async *"a further request"() {
      yield { content: "x" };
      yield await forever;
    },
    async *"both"() {
      yield { content: "stuck" };
      yield await forever;
    },
  };
  for (const pipeline of [1, 3]) {
    for (const [what, source] of Object.entries(sources)) {
      const abort = new AbortController();
      const reading = texts(server.address, source(), { pipeline, signal: abort.signal })
        .catch((error) => error);
      await pause(20);
      abort.abort("enough");
      assertEquals(await deadline(reading, what), "enough");
    }
  }
  const signal = AbortSignal.abort("before");
  const error = await texts(server.address, words(1), { signal }).catch((error) => error);
  assertEquals(error, "before");
});

Deno.test("a pipeline of less than 1 is refused", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }));
  for (const pipeline of [0, -1, NaN]) {
    await assertRejects(() => texts(server.address, words(1), { pipeline }), RangeError);
  }
});

Deno.test("each connection begins with the greeting", async () => {
  const greeted = new WeakSet<Peer>();
  let greetings = 0;
  await using server = await serveRequests("127.0.0.1:0", (request, client) => {
    const text = request.text();
    if (text === "hello") {
      greetings++;
      greeted.add(client);
      return "welcome";
    }
    if (!greeted.has(client)) throw new RequestError("unauthorized", "say hello first");
    // One answer a connection, as the tutorial's server gives.
    client.revoke();
    return text;
  });
  const texts = [];
  const requests = ["a", "b", "c"].map((content) => ({ content }));
  const options = { greeting: "hello", pipeline: 2 };
  for await (const { reply } of exchange(server.address, requests, options)) {
    texts.push(reply.text());
  }
  assertEquals(texts, ["a", "b", "c"]);
  assert(greetings >= 2, `${greetings} connections`);
  const error = await assertRejects(
    () => connectRequests(server.address, { greeting: "good day" }),
    RequestError,
  );
  assertEquals(error.code, "unauthorized");
});
