/**
 * What a handler has of its request must stay as it is until its answer is there, although the
 * requests behind it are read meanwhile. Here a handler takes the content in every way before its
 * first await, and looks at it long afterwards.
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, type Frame, jsonFrame } from "../../../lib/frame/mod.ts";
import { type ReplyInit, serveRequests } from "../../../lib/request/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { listenLocally, RawClient } from "../../support/peers.ts";

/** Takes hold of a content before the first await; the result reads it later. */
type Way = (request: Frame) => () => Uint8Array;

const utf8 = new TextEncoder();

const WAYS: Record<string, Way> = {
  content: ({ content }) => () => content,
  "content, later": (request) => () => request.content,
  bytes: ({ bytes, contentStart, start }) => () => bytes.subarray(contentStart - start),
  "bytes, later": (request) => () => request.bytes.subarray(request.contentStart - request.start),
  buffer: ({ buffer, contentStart, end }) => () => buffer.subarray(contentStart, end),
  "memory itself": ({ content: { buffer, byteOffset, length } }) => () =>
    new Uint8Array(buffer, byteOffset, length),
  "a part": ({ content }) => {
    const parts = [content.subarray(0, 1), content.subarray(1)];
    return () => new Uint8Array([...parts[0]!, ...parts[1]!]);
  },
  "a view of numbers": ({ content }) => {
    const view = new DataView(content.buffer, content.byteOffset, content.length);
    return () => Uint8Array.from({ length: view.byteLength }, (_, i) => view.getUint8(i));
  },
  reader: (request) => {
    const reader = request.reader();
    return () => Uint8Array.from({ length: reader.remaining }, () => reader.uint8());
  },
  "reader, later": (request) => () => {
    const reader = request.reader();
    return Uint8Array.from({ length: reader.remaining }, () => reader.uint8());
  },
  numbers: (request) => {
    const numbers = request.numbers("uint8");
    return () => numbers;
  },
  "text, later": (request) => () => utf8.encode(request.text()),
  "json, later": (request) => () => utf8.encode(JSON.stringify(request.json())),
  detach: (request) => {
    request.detach();
    return () => request.content;
  },
  "content before detach": (request) => {
    const { content } = request;
    request.detach();
    return () => content;
  },
};

/** What a handler does with what it has, and when its answer is there. */
const ANSWERS: Record<string, (read: () => Uint8Array, go: Promise<void>) => unknown> = {
  "a copy": async (read, go) => (await go, read().slice()),
  "the view itself": async (read, go) => (await go, read()),
  "a frame of the view": async (read, go) => (await go, { content: read() }),
  "a promise that is no async function": (read, go) => go.then(() => read()),
  "a stream, at once": (read, go) => streamOf(read, go),
  "a stream, later": async (read, go) => (await go, streamOf(read, go)),
};

function streamOf(read: () => Uint8Array, go: Promise<void>): ReplyInit {
  const content = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await go;
      const bytes = read();
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
  // Every way gives as many bytes as the request's content has.
  return { header: { "content-length": read().length }, content };
}

/** A request of this size makes the memory grow as far as it does for small ones. */
const LARGE_BYTES = 300_000;

/** A JSON text of so many bytes, of which no two are alike. */
function contentOf(number: number, length: number): string {
  return JSON.stringify(`${number}:`.padEnd(length, String.fromCharCode(97 + number % 26)));
}

for (const [what, answer] of Object.entries(ANSWERS)) {
  Deno.test(`content stays as it is until the answer is there: ${what}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 5, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (lengths, cuts, inOrder) => {
          const gates: PromiseWithResolvers<void>[] = [];
          const names = Object.keys(WAYS);
          await using server = serveRequests(await listenLocally(), (request) => {
            if (request.content.length === LARGE_BYTES) return "";
            // A stream's header needs the size: a reader is used up by looking.
            const way = WAYS[names[gates.length % names.length]!]!;
            const read = what.includes("stream") ? WAYS["content"]!(request) : way(request);
            const gate = Promise.withResolvers<void>();
            gates.push(gate);
            return answer(read, gate.promise) as Promise<ReplyInit>;
          }, { maxPendingBytes: 100_000_000 });
          using client = await RawClient.connect(server.address);
          // From here on every read begins at the same place of the same memory, if it may.
          await client.send({ content: new Uint8Array(LARGE_BYTES) });
          assertEquals((await client.answer())?.content.length, 0);
          const contents = lengths.map((length, i) => contentOf(i, length));
          const requests = contents.map((content) =>
            encodeFrame({ header: { "content-type": "text/json" }, content })
          );
          const all = new Uint8Array(await new Blob(requests).arrayBuffer());
          for (let at = 0, i = 0; at < all.length; i++) {
            const size = cuts[i % cuts.length]!;
            await client.send(all.subarray(at, at + size));
            at += size;
          }
          await until(() => gates.length === requests.length);
          for (const gate of inOrder ? gates : gates.toReversed()) {
            gate.resolve();
            await Promise.resolve();
          }
          for (const [i, content] of contents.entries()) {
            const came = await client.answer();
            assertEquals(new TextDecoder().decode(came?.content), content, names[i % names.length]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });
}

Deno.test("an answer at once that is a view of its request stays right behind another answer", async () => {
  const first = Promise.withResolvers<ReplyInit>();
  await using server = serveRequests(
    await listenLocally(),
    (request) => request.text() === "first" ? first.promise : { content: request.content },
    { maxPendingBytes: 10_000_000 },
  );
  using client = await RawClient.connect(server.address);
  await client.send({ content: "first" });
  for (let i = 0; i < 100; i++) await client.send({ content: contentOf(i, 500) });
  first.resolve("first");
  assertEquals((await client.answer())?.text(), "first");
  for (let i = 0; i < 100; i++) {
    assertEquals(new TextDecoder().decode((await client.answer())?.content), contentOf(i, 500));
  }
});

Deno.test("requests that are held hold little memory, however large the reads have been", async () => {
  const held: Frame[] = [];
  const go = Promise.withResolvers<void>();
  let came = Promise.withResolvers<void>();
  await using server = serveRequests(await listenLocally(), async (request) => {
    if (request.header["content-length"] > 1_000) return "";
    held.push(request);
    came.resolve();
    await go.promise;
    return request.content;
  }, { maxPipelined: 1_000, maxPendingBytes: 1_000_000_000 });
  using client = await RawClient.connect(server.address);
  // Large reads: the connection's memory grows to what one read takes at most.
  const large = encodeFrame({ content: new Uint8Array(1_000_000) });
  for (let i = 0; i < 3; i++) {
    await client.send(large);
    assertEquals((await deadline(client.answer()))?.content.length, 0);
  }
  for (let i = 0; i < 500; i++) {
    came = Promise.withResolvers();
    await client.send(jsonFrame(i));
    // Each in a read of its own.
    await deadline(came.promise);
  }
  const memories = new Set(held.map(({ buffer }) => buffer.buffer));
  const bytes = [...memories].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const needed = held.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(needed < 100_000);
  assertLess(bytes, 262_144 + 131_072 + 2 * needed);
  go.resolve();
  for (let i = 0; i < 500; i++) {
    assertEquals(new TextDecoder().decode((await client.answer())?.content), `${i}`);
  }
});

Deno.test("memory that was lent is read into again once the answers are there", async () => {
  const memories = new Set<ArrayBufferLike>();
  await using server = serveRequests(await listenLocally(), async (request) => {
    memories.add(request.buffer.buffer);
    await Promise.resolve();
    return request.content;
  });
  using client = await RawClient.connect(server.address);
  for (let i = 0; i < 200; i++) {
    await client.send({ content: `${i}` });
    assertEquals(new TextDecoder().decode((await client.answer())?.content), `${i}`);
  }
  assertLess(memories.size, 5);
});
