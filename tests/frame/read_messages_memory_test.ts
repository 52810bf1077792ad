/** Content that is read into the reader's own memory, and who owns which memory. */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { equals } from "@std/bytes";
import fc from "fast-check";
import { encodeFrame, FrameError, readMessages } from "../../lib/frame/mod.ts";
import type { StreamedMessage } from "../../lib/frame/mod.ts";
import { byteSource, memorySource, readInto, SOURCES } from "./byte_source.ts";
import { cut, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

/** Bytes of which no two near each other are equal. */
function pattern(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = i * 7 + (i >> 8) + seed;
  return bytes;
}

async function first(stream: ReadableStream<Uint8Array>) {
  const messages = readMessages(stream).getReader();
  const { value } = await messages.read();
  return { messages, message: value! };
}

/** What a test does with one message; resolves to what it read of the content. */
type Use = (message: StreamedMessage) => Promise<Uint8Array>;

async function readSome(reads: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of reads) {
    parts.push(part.slice());
    // It is the reader's, who may do with it what it likes.
    part.fill(0xee);
    size += part.length;
    if (size >= most) break;
  }
  return join(...parts);
}

const anyUse: fc.Arbitrary<Use> = fc.oneof(
  fc.constant<Use>(async (message) => await message.bytes()),
  fc.constant<Use>((message) => readSome(message.content, Infinity)),
  fc.constant<Use>(() => Promise.resolve(new Uint8Array(0))),
  fc.constant<Use>(async (message) => {
    await message.skip();
    return new Uint8Array(0);
  }),
  // Leaving the loop early cancels the content.
  fc.integer({ min: 1, max: 200_000 }).map((most): Use => (message) =>
    readSome(message.content, most)
  ),
  fc.tuple(
    fc.constantFrom(1, 2, 7, 1_000, 8_192, 65_536, 1_000_000),
    fc.constantFrom(1, 100_000, Infinity),
  ).map(([size, most]): Use => (message) =>
    readSome(readInto(message.content, Math.max(size, message.header["content-length"] >> 8)), most)
  ),
  // One reader after the other, each for a read.
  fc.array(fc.constantFrom(0, 10, 10_000, 300_000), { minLength: 1, maxLength: 6 }).map(
    (sizes): Use => async (message) => {
      const parts: Uint8Array[] = [];
      for (const size of sizes) {
        const reader = size === 0
          ? message.content.getReader()
          : message.content.getReader({ mode: "byob" });
        const { value } = await reader.read(new Uint8Array(size));
        if (value) parts.push(value.slice());
        reader.releaseLock();
      }
      return join(...parts);
    },
  ),
);

const anyMessage = fc.tuple(
  fc.constantFrom(0, 1, 5, 300, 8_191, 65_536, 65_537, 90_000, 250_000),
  anyUse,
);

for (const [type, from] of Object.entries(SOURCES)) {
  Deno.test(`however contents are read from a source ${type}, each is the one that was sent`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyMessage, { minLength: 1, maxLength: 6 }),
        fc.array(fc.constantFrom(1_000, 8_192, 20_000, 65_536, 300_000, 0), {
          minLength: 1,
          maxLength: 5,
        }),
        async (plan, sizes) => {
          const contents = plan.map(([size], i) => pattern(size, i));
          const bytes = join(...contents.map((content) => encodeFrame({ content })));
          const chunks = cut(bytes, sizes);
          const messages = readMessages(from(chunks).stream).getReader();
          for (const [i, [, use]] of plan.entries()) {
            const { value: message } = await messages.read();
            assertEquals(message?.header["content-length"], contents[i]!.length);
            const read = await use(message!);
            assert(equals(read, contents[i]!.subarray(0, read.length)), `content ${i}`);
          }
          assertEquals((await messages.read()).done, true);
          const again = join(...contents.map((content) => encodeFrame({ content })));
          assert(equals(bytes, again), "the chunks of the source are as they were");
        },
      ),
      { numRuns: 25 },
    );
  });
}

Deno.test("large content comes from a source of type bytes straight into the reader's memory", async () => {
  const content = pattern(1_000_000);
  const frame = encodeFrame({ content });
  const source = memorySource([frame.subarray(0, 500), frame.subarray(500), plainFrame("next")]);
  const { messages, message } = await first(source.stream);
  assertEquals(source.given, []);
  const read = join(...await Array.fromAsync(readInto(message.content, 65_536)));
  assert(equals(read, content));
  // The first part came with the header. The last is less than the memory has room for.
  assert(source.given.length >= 15, `${source.given}`);
  assert(source.given.slice(0, -1).every((size) => size === 65_536), `${source.given}`);
  assert(source.given.at(-1)! < 65_536, "nothing is read beyond the content");
  assertEquals(await (await messages.read()).value!.text(), "next");
});

Deno.test("what is read into memory stays in the memory that was given", async () => {
  for (const from of Object.values(SOURCES)) {
    const frame = encodeFrame({ content: pattern(300_000) });
    const { message } = await first(
      from([frame.subarray(0, 100_000), frame.subarray(100_000)]).stream,
    );
    const reader = message.content.getReader({ mode: "byob" });
    let memory = new Uint8Array(new ArrayBuffer(70_000), 1_000, 50_000).fill(0xaa);
    for (let at = 0; at < 300_000;) {
      const { value } = await reader.read(memory);
      assertEquals([value!.byteOffset, value!.buffer.byteLength], [1_000, 70_000]);
      assert(equals(value!, pattern(300_000).subarray(at, at += value!.length)));
      memory = new Uint8Array(value!.buffer, 1_000, 50_000);
    }
    assertEquals((await reader.read(memory)).done, true);
  }
});

Deno.test("content is read as numbers of more than a byte, and as much as is asked for at least", async () => {
  for (const from of Object.values(SOURCES)) {
    const numbers = Uint32Array.from({ length: 50_000 }, (_, i) => i * 77_777);
    const frame = encodeFrame({ content: new Uint8Array(numbers.buffer) });
    const { message } = await first(from(cut(frame, [10_001])).stream);
    const reader = message.content.getReader({ mode: "byob" });
    const { value } = await reader.read(new Uint32Array(50_000), { min: 50_000 });
    assertEquals(value, numbers);
  }
});

Deno.test("chunks belong to whoever reads them, and those of the source stay the source's", async () => {
  const bytes = join(encodeFrame({ content: pattern(200_000) }), plainFrame("next"));
  const chunks = cut(bytes, [60_000]);
  const { messages, message } = await first(byteSource(chunks).stream);
  for await (const part of message.content) new Uint8Array(part.buffer).fill(0xee);
  assertEquals(await (await messages.read()).value!.text(), "next");
  assert(equals(bytes, join(encodeFrame({ content: pattern(200_000) }), plainFrame("next"))));
});

Deno.test("a content's memory is no other message's, though they came in one chunk", async () => {
  for (const from of Object.values(SOURCES)) {
    const bytes = join(plainFrame("a".repeat(20)), plainFrame("b".repeat(20)), plainFrame("c"));
    const { messages, message } = await first(from([bytes]).stream);
    const kept = await message.bytes();
    const { value: second } = await messages.read();
    for await (const part of second!.content) new Uint8Array(part.buffer).fill(0xee);
    assertEquals(new TextDecoder().decode(kept), "a".repeat(20));
    assertEquals(await (await messages.read()).value!.text(), "c");
  }
});

Deno.test("content goes through pipes, tees and responses", async () => {
  for (const from of Object.values(SOURCES)) {
    const content = pattern(300_000);
    const open = async () => {
      const { message } = await first(from(cut(encodeFrame({ content }), [70_000])).stream);
      return message.content;
    };
    assertEquals(await new Response(await open()).bytes(), content);
    for (const branch of (await open()).tee()) {
      // Both branches are read at the same time, else one would have to keep all.
      assert(equals(join(...await Array.fromAsync(branch)), content));
    }
    const piped: Uint8Array[] = [];
    await (await open()).pipeTo(new WritableStream({ write: (chunk) => void piped.push(chunk) }));
    assert(equals(join(...piped), content));
  }
});

const CONTENT_BYTES = 300_000;

/** Gives the beginning of a large content at once, and the rest when it is told to. */
function waitingSource(type: "bytes" | undefined) {
  const frame = encodeFrame({ content: pattern(CONTENT_BYTES) });
  const bytes = join(frame, plainFrame("next"));
  let controller!: ReadableByteStreamController;
  const stream = new ReadableStream({
    ...(type && { type }),
    start(given: ReadableByteStreamController) {
      controller = given;
      controller.enqueue(bytes.slice(0, 100_000));
    },
  } as UnderlyingByteSource) as ReadableStream<Uint8Array>;
  return {
    stream,
    /** How many bytes of the content are there. */
    there: 100_000 - (frame.length - CONTENT_BYTES),
    giveRest: () => controller.enqueue(bytes.slice(100_000)),
  };
}

for (const type of [undefined, "bytes"] as const) {
  for (const how of ["release", "cancel", "skip", "nothing"]) {
    Deno.test(`a read into memory that waits does no harm: ${how}, source of type ${type}`, async () => {
      const { stream, there, giveRest } = waitingSource(type);
      const { messages, message } = await first(stream);
      const reader = message.content.getReader({ mode: "byob" });
      for (let at = 0; at < there;) {
        const { value } = await reader.read(new Uint8Array(Math.min(50_000, there - at)));
        assert(equals(value!, pattern(CONTENT_BYTES).subarray(at, at += value!.length)));
      }
      const waiting = reader.read(new Uint8Array(50_000)).catch((error) => error);
      if (how === "release") reader.releaseLock();
      if (how === "cancel") await reader.cancel();
      const skipped = how === "skip" ? message.skip() : undefined;
      const next = messages.read();
      giveRest();
      await skipped;
      const end = await waiting;
      if (how === "release") assert(end instanceof TypeError);
      else if (how === "cancel") assertEquals(end, { done: true, value: undefined });
      else if (end instanceof Error) assert(end instanceof TypeError, "skipped before it began");
      else assert(equals(end.value, pattern(CONTENT_BYTES).subarray(there, there + 50_000)));
      assertEquals(await (await next).value!.text(), "next", how);
    });
  }
}

Deno.test("a stream that ends inside a read into memory says how many bytes came", async () => {
  const source = memorySource([rawFrame(headerText(500_000)), pattern(123_456)]);
  const { messages, message } = await first(source.stream);
  const error = await assertRejects(
    () => Array.fromAsync(readInto(message.content, 50_000)),
    FrameError,
  );
  assertEquals([error.code, error.received, error.expected], ["truncated", 123_456, 500_000]);
  assertStrictEquals(await assertRejects(() => messages.read()), error);
});

Deno.test("a stream that is locked is refused by readMessages()", () => {
  for (const from of Object.values(SOURCES)) {
    const { stream } = from([]);
    stream.getReader();
    let error: unknown;
    try {
      readMessages(stream);
    } catch (thrown) {
      error = thrown;
    }
    assert(error instanceof TypeError);
  }
});
