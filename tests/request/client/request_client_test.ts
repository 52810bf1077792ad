import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  EncodedFrame,
  encodeFrame,
  type Frame,
  FrameDecoder,
  FrameError,
  type FrameInit,
  type OutgoingFrame,
} from "../../../lib/frame/mod.ts";
import {
  connectRequests,
  type Reply,
  RequestClient,
  RequestError,
  serveRequests,
} from "../../../lib/request/mod.ts";
import { ConnectionError, type Listener } from "../../../lib/net/mod.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";

const say = (content: string): OutgoingFrame => ({ content });

/** A server of one connection that does what a test says. */
async function peer(): Promise<{ listener: Listener; accepted: Promise<RawClient> }> {
  const listener = await listenLocally();
  return { listener, accepted: listener.accept().then((conn) => new RawClient(conn)) };
}

async function assertCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await assertRejects(() => deadline(promise), ConnectionError);
  assertEquals(error.code, code, error.message);
}

Deno.test("a client's requests are pipelined, and each gets its own answer", async () => {
  await using server = serveRequests(await listenLocally(), async (request) => {
    const text = request.text();
    await pause(Number(text) % 3);
    return say(text);
  });
  await using client = await connectRequests(server.address);
  assertEquals(client.remote, server.address);
  const answers = Array.from({ length: 500 }, (_, i) => client.request(say(`${i}`)));
  assertEquals(client.outstanding, 500);
  const texts = (await deadline(Promise.all(answers))).map((frame) => frame.text());
  assertEquals(texts, Array.from({ length: 500 }, (_, i) => `${i}`));
  assertEquals([client.outstanding, client.answered, client.ended], [0, 500, false]);
});

Deno.test("answers own their bytes", async () => {
  await using server = serveRequests(await listenLocally(), (request) => say(request.text()));
  await using client = await connectRequests(server.address);
  const kept: Frame[] = [];
  for (let i = 0; i < 50; i++) kept.push(await client.request(say(`${i}`.repeat(1_000))));
  kept.forEach((frame, i) => assertEquals(frame.text(), `${i}`.repeat(1_000)));
});

Deno.test("requests of one turn leave in one write", async () => {
  const { listener, accepted } = await peer();
  using _ = listener;
  await using client = await connectRequests(listener.address);
  using server = await deadline(accepted);
  const answers = Promise.all(Array.from({ length: 20 }, () => client.request(say("x"))));
  const size = encodeFrame(say("x")).length;
  assertEquals((await server.chunk())?.length, 20 * size);
  for (let i = 0; i < 20; i++) await server.send(say("y"));
  await deadline(answers);
});

Deno.test("an answer that tells of a failure rejects with it, and is returned with raw", async () => {
  await using server = serveRequests(await listenLocally(), (request) => {
    if (request.text() === "fine") return "fine";
    throw new RequestError("too-blue", "The request is too blue");
  });
  await using client = await connectRequests(server.address);
  const [fine, error, raw] = await Promise.all([
    client.request("fine"),
    assertRejects(() => client.request("blue"), RequestError),
    client.request("blue", { raw: true }),
  ]);
  assertEquals([fine.ok, fine.error, fine.text()], [true, undefined, "fine"]);
  assertEquals([error.code, error.message], ["too-blue", "The request is too blue"]);
  const told = { code: "too-blue", message: "The request is too blue" };
  for (const reply of [error.reply as Reply, raw]) {
    assertEquals([reply.ok, reply.error], [false, told]);
    assertEquals(reply.json<{ error: unknown }>().error, told);
  }
  assertEquals((await client.request("fine", { raw: true })).ok, true);
});

Deno.test("a failure that another server tells of is not told to this one's client", async () => {
  await using far = serveRequests(await listenLocally(), () => {
    throw new RequestError("secret", "of the far server");
  });
  await using client = await connectRequests(far.address);
  const observer = new Recorder();
  await using near = serveRequests(await listenLocally(), () => client.request("x"), { observer });
  await using other = await connectRequests(near.address);
  const error = await assertRejects(() => other.request("x"), RequestError);
  assertEquals(error.code, "internal");
  assertEquals((observer.requestErrors[0] as RequestError).code, "secret");
});

Deno.test("text, bytes, frames and encoded frames are requests", async () => {
  await using server = serveRequests(
    await listenLocally(),
    (request) => `${request.header["content-type"]} ${new TextDecoder().decode(request.content)}`,
  );
  await using client = await connectRequests(server.address);
  const frame = { header: { "content-type": "x/y" }, content: "z" };
  const requests: [FrameInit, string][] = [
    ["text", "text/plain text"],
    [new TextEncoder().encode("bytes"), "application/octet-stream bytes"],
    [frame, "x/y z"],
    [EncodedFrame.encode(frame), "x/y z"],
  ];
  for (const [request, answer] of requests) {
    assertEquals((await client.request(request)).text(), answer);
  }
  for (const wrong of [undefined, null, 5, {}, { result: "x" }, [1], new Error("x")]) {
    await assertRejects(() => client.request(wrong as never), TypeError, "Cannot send ");
  }
  assertEquals(client.outstanding, 0);
});

Deno.test("a large answer takes no more memory than its size", async () => {
  await using server = serveRequests(await listenLocally(), () => new Uint8Array(5_000_000));
  await using client = await connectRequests(server.address);
  const reply = await client.request("x");
  assertEquals(reply.content.length, 5_000_000);
  assertEquals(reply.buffer.buffer.byteLength, reply.bytes.length);
  assertEquals(new FrameDecoder().decode(reply.bytes).frames.length, 1);
});

Deno.test("a request that cannot be encoded is refused, and nothing is sent", async () => {
  await using server = serveRequests(await listenLocally(), (request) => say(request.text()));
  await using client = await connectRequests(server.address);
  const before = client.request(say("before"));
  await assertRejects(() => client.request({ header: { x: "y".repeat(70_000) } }), RangeError);
  await assertRejects(() => client.request({ header: { "content-length": 1 } }), RangeError);
  assertEquals(client.outstanding, 1);
  assertEquals((await before).text(), "before");
  assertEquals((await client.request(say("after"))).text(), "after");
});

Deno.test("a request that is not answered in time ends the connection", async () => {
  const { listener, accepted } = await peer();
  using _ = listener;
  await using client = await connectRequests(listener.address);
  using server = await deadline(accepted);
  const patient = client.request(say("a"));
  const hasty = client.request(say("b"), { timeoutMs: 50 });
  await Promise.all([assertCode(patient, "timed-out"), assertCode(hasty, "timed-out")]);
  assert(client.ended);
  await assertCode(client.request(say("c")), "timed-out");
  assert(await server.closed());
});

Deno.test("a request may wait without a limit, and not with one that is none", async () => {
  await using server = serveRequests(await listenLocally(), (request) => say(request.text()));
  await using client = await connectRequests(server.address);
  for (const timeoutMs of [Infinity, 2 ** 32, undefined]) {
    assertEquals((await client.request(say("a"), { timeoutMs })).text(), "a");
  }
  await assertRejects(() => client.request(say("a"), { timeoutMs: NaN }), RangeError);
  await assertRejects(() => client.request(say("a"), { timeoutMs: -1 }), RangeError);
  assertEquals((await client.request(say("b"))).text(), "b");
});

Deno.test("what a closing server left unanswered is rejected", async () => {
  const { listener, accepted } = await peer();
  using _ = listener;
  await using client = await connectRequests(listener.address);
  using server = await deadline(accepted);
  const answers = [client.request(say("a")), client.request(say("b"))];
  await server.send(say("A"));
  await server.closeWrite();
  assertEquals((await deadline(answers[0]!)).text(), "A");
  await assertCode(answers[1]!, "closed");
  await deadline(client.closed);
  await assertCode(client.request(say("c")), "closed");
});

Deno.test("a server that breaks off, or sends what is no frame, is told as such", async () => {
  const bytes = encodeFrame(say("half"));
  const cases: [(server: RawClient) => Promise<void>, (error: unknown) => void][] = [
    [async (server) => {
      await server.send(bytes.subarray(0, 40));
      await server.closeWrite();
    }, (error) => assertEquals((error as FrameError).code, "truncated")],
    [
      (server) => server.send(new Uint8Array([0, 0])),
      (error) => assertEquals((error as FrameError).code, "header-syntax"),
    ],
    [(server) => server.send(say("A"), say("unasked")), (error) => {
      assertInstanceOf(error, ConnectionError);
      assertEquals(
        (error.cause as Error).message,
        "the server sent an answer that was not asked for",
      );
    }],
  ];
  for (const [act, check] of cases) {
    const { listener, accepted } = await peer();
    using _ = listener;
    await using client = await connectRequests(listener.address, { maxContentBytes: 1_000 });
    using server = await deadline(accepted);
    const answer = client.request(say("a")).catch((error) => error);
    await act(server);
    const error = await deadline(answer);
    await deadline(client.closed);
    check(error instanceof Error ? error : await client.request(say("b")).catch((error) => error));
  }
});

Deno.test("an answer above the limit breaks the connection", async () => {
  await using server = serveRequests(await listenLocally(), () => say("x".repeat(2_000)));
  await using client = await connectRequests(server.address, { maxContentBytes: 1_999 });
  const error = await assertRejects(() => deadline(client.request(say("a"))), FrameError);
  assertEquals(error.code, "frame-too-large");
});

Deno.test("close() waits for the answers that are outstanding", async () => {
  const go = Promise.withResolvers<void>();
  await using server = serveRequests(await listenLocally(), async (request) => {
    await go.promise;
    return say(request.text());
  });
  const client = await connectRequests(server.address);
  const answers = [client.request(say("a")), client.request(say("b"))];
  const closed = client.close();
  await assertCode(client.request(say("c")), "closed");
  go.resolve();
  assertEquals((await deadline(Promise.all(answers))).map((frame) => frame.text()), ["a", "b"]);
  await deadline(closed);
  await deadline(client.close());
  await until(() => server.connections.size === 0);
});

Deno.test("a client that is disposed of rejects what is outstanding", async () => {
  const { listener, accepted } = await peer();
  using _ = listener;
  const client = await connectRequests(listener.address);
  using server = await deadline(accepted);
  const answer = client.request(say("a")).catch((error) => error);
  await deadline(client[Symbol.asyncDispose]());
  assertEquals(((await answer) as ConnectionError).code, "closed");
  assert(await server.closed());
  await deadline(client.close());
});

Deno.test("a large request and a large answer pass each other", async () => {
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: request.content.slice(),
  }));
  await using client = await connectRequests(server.address);
  const content = crypto.getRandomValues(new Uint8Array(65_536)).toHex().repeat(100);
  const answers = await deadline(Promise.all([1, 2, 3].map(() => client.request(say(content)))));
  for (const answer of answers) {
    assertEquals(new TextDecoder().decode(answer.content) === content, true);
  }
});

Deno.test("a connection that says what cannot be of a read fails its requests", async () => {
  for (const count of [0, -1, 1.5, NaN, 1e9, "5", undefined] as unknown as number[]) {
    const duplex = {
      read: () => Promise.resolve(count),
      write: (bytes: Uint8Array) => Promise.resolve(bytes.length),
      close: () => {},
    };
    await using client = new RequestClient(duplex);
    await assertRejects(() => deadline(client.request("x")), ConnectionError, "as count");
    await assertRejects(
      () => deadline(connectBroker(duplex)),
      TypeError,
      "as count",
    );
  }
});
