/** What becomes of content that is not read, or not to its end. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  encodeFrame,
  FrameError,
  readMessages,
  type StreamedMessage,
} from "../../lib/frame/mod.ts";
import { byteByByte, SOURCES } from "./byte_source.ts";
import { headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

const LARGE = new Uint8Array(300_000).fill(0x61);

function chunksOf(bytes: Uint8Array, size: number): Uint8Array[] {
  const chunks = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** Small content, content of several chunks, and content that no one would buffer. */
const STREAMS: Record<string, Uint8Array[]> = {
  "small, in one chunk": [join(plainFrame("one"), plainFrame("two"), plainFrame("three"))],
  "small, byte by byte": byteByByte(
    join(plainFrame("one"), plainFrame("two"), plainFrame("three")),
  ),
  "large, in one chunk": [
    join(encodeFrame({ content: LARGE }), encodeFrame({ content: LARGE }), plainFrame("three")),
  ],
  "large, in many chunks": chunksOf(
    join(encodeFrame({ content: LARGE }), encodeFrame({ content: LARGE }), plainFrame("three")),
    10_000,
  ),
};

const CASES = Object.entries(STREAMS).flatMap(([name, chunks]) =>
  Object.entries(SOURCES).map(([type, from]) =>
    [`${name}, from a source ${type}`, chunks, from] as const
  )
);

for (const [name, chunks, from] of CASES) {
  Deno.test(`content that was not read is skipped: ${name}`, async () => {
    const messages = readMessages(from(chunks).stream).getReader();
    await messages.read();
    await messages.read();
    assertEquals(await (await messages.read()).value?.text(), "three");
    assertEquals((await messages.read()).done, true);
  });

  Deno.test(`content that was read to its half is skipped from there: ${name}`, async () => {
    const messages = readMessages(from(chunks).stream).getReader();
    for (let i = 0; i < 2; i++) {
      const reader = (await messages.read()).value!.content.getReader();
      const { value } = await reader.read();
      assert(value!.length > 0);
      reader.releaseLock();
    }
    assertEquals(await (await messages.read()).value?.text(), "three");
  });

  Deno.test(`content that was read to its half into memory is skipped from there: ${name}`, async () => {
    for (const size of [1, 2, 10_000, 100_000]) {
      const messages = readMessages(from(chunks).stream).getReader();
      for (let i = 0; i < 2; i++) {
        const reader = (await messages.read()).value!.content.getReader({ mode: "byob" });
        assert((await reader.read(new Uint8Array(size))).value!.length > 0);
        await reader.read(new Uint8Array(size));
        reader.releaseLock();
      }
      assertEquals(await (await messages.read()).value?.text(), "three");
    }
  });

  Deno.test(`content that was cancelled is skipped: ${name}`, async () => {
    const source = from(chunks);
    const messages = readMessages(source.stream).getReader();
    for (let i = 0; i < 2; i++) {
      const { value } = await messages.read();
      if (i === 0) await value!.content.cancel("not wanted");
      else for await (const _ of value!.content) break;
    }
    assertEquals(await (await messages.read()).value?.text(), "three");
    assertEquals(source.cancelled, [], "the stream of bytes goes on");
  });

  Deno.test(`skip() reads past the content: ${name}`, async () => {
    const messages = readMessages(from(chunks).stream).getReader();
    const { value: message } = await messages.read();
    await message!.skip();
    await message!.skip();
    await assertRejects(() => message!.bytes(), TypeError);
    await messages.read();
    assertEquals(await (await messages.read()).value?.text(), "three");
  });

  Deno.test(`content that was skipped cannot be read any more: ${name}`, async () => {
    const messages = readMessages(from(chunks).stream).getReader();
    const skipped: StreamedMessage[] = [];
    for (let i = 0; i < 2; i++) skipped.push((await messages.read()).value!);
    const half = skipped[1]!.content.getReader();
    assertEquals(await (await messages.read()).value?.text(), "three");
    await assertRejects(() => skipped[0]!.text(), TypeError);
    await assertRejects(() => skipped[0]!.content.getReader().read(), TypeError);
    await assertRejects(async () => {
      while (!(await half.read()).done);
    }, TypeError);
  });

  Deno.test(`a loop may leave early, which cancels the stream of bytes: ${name}`, async () => {
    const source = from([...chunks, plainFrame("four")]);
    for await (const message of readMessages(source.stream)) {
      await message.skip();
      break;
    }
    assertEquals(source.cancelled.length, 1);
  });
}

Deno.test("skip() that no one waits for loses no message", async () => {
  for (const chunks of Object.values(STREAMS)) {
    const messages = readMessages(ReadableStream.from([...chunks, plainFrame("four")])).getReader();
    const { value: message } = await messages.read();
    const skipped = message!.skip();
    const sizes: number[] = [];
    for (;;) {
      const { done, value } = await messages.read();
      if (done) break;
      sizes.push((await value.bytes()).length);
    }
    await skipped;
    assertEquals(sizes, [message!.header["content-length"], 5, 4]);
  }
});

Deno.test("content that ends too soon fails while it is skipped", async () => {
  for (const size of [5, 200_000]) {
    const bytes = rawFrame(headerText(size + 10), "x".repeat(size));
    const messages = readMessages(ReadableStream.from([plainFrame("first"), bytes])).getReader();
    await messages.read();
    const error = await assertRejects(async () => {
      while (!(await messages.read()).done);
    }, FrameError);
    assertEquals([error.code, error.part, error.received, error.expected], [
      "truncated",
      "content",
      size,
      size + 10,
    ]);
  }
});

Deno.test("messages may be read ahead of the reading of their content only by skipping", async () => {
  const stream = readMessages(ReadableStream.from([join(plainFrame("a"), plainFrame("b"))]));
  const messages = await Array.fromAsync(stream);
  assertEquals(messages.length, 2);
  for (const message of messages) await assertRejects(() => message.text(), TypeError);
});
