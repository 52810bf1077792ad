/** How a stream of messages ends: errors, limits, cancellation. */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  encodeFrame,
  FrameError,
  readMessages,
  type StreamedMessage,
} from "../../lib/frame/mod.ts";
import { byteSource, readInto, SOURCES } from "./byte_source.ts";
import { bytesOf, headerText, join, plainFrame, rawFrame } from "./raw_frames.ts";

const CONTENT_READERS: Record<string, (message: StreamedMessage) => Promise<unknown>> = {
  "bytes()": (message) => message.bytes(),
  "text()": (message) => message.text(),
  "json()": (message) => message.json(),
  "reader()": (message) => message.reader(),
  "numbers()": (message) => message.numbers("uint8"),
  content: (message) => Array.fromAsync(message.content),
  "content into memory": (message) => Array.fromAsync(readInto(message.content, 100_000)),
  "skip()": (message) => message.skip(),
};

/** A content so large that no one buffers it, of which little comes. */
const CUT = [
  plainFrame("a"),
  rawFrame(headerText(1_000_000), "x".repeat(100)),
  bytesOf("y".repeat(50)),
];

/** A stream of either type that gives the bytes and then neither more nor its end. */
const STALLED: Readonly<Record<string, () => ReadableStream<Uint8Array>>> = {
  "of chunks": () =>
    new ReadableStream({ start: (controller) => controller.enqueue(join(...CUT)) }),
  "of type bytes": () =>
    new ReadableStream({ type: "bytes", start: (controller) => controller.enqueue(join(...CUT)) }),
};

const WAYS = Object.entries(CONTENT_READERS).flatMap(([name, read]) =>
  Object.keys(SOURCES).map((type) => [`${name}, from a source ${type},`, read, type] as const)
);

for (const [name, read, type] of WAYS) {
  const from = SOURCES[type]!;

  Deno.test(`${name} says where a stream ended inside the content`, async () => {
    const messages = readMessages(from(CUT).stream).getReader();
    await messages.read();
    const { value: message } = await messages.read();
    const error = await assertRejects(() => read(message!), FrameError);
    assertEquals([error.code, error.part], ["truncated", "content"]);
    assertEquals([error.received, error.expected], [150, 1_000_000]);
    assertStrictEquals(await assertRejects(() => messages.read(), FrameError), error);
  });

  Deno.test(`${name} passes on the error of the stream of bytes`, async () => {
    const reason = new Error("connection reset");
    const { stream } = from([...CUT, reason]);
    const messages = readMessages(stream).getReader();
    await messages.read();
    const { value: message } = await messages.read();
    assertStrictEquals(await assertRejects(() => read(message!)), reason);
    assertStrictEquals(await assertRejects(() => messages.read()), reason);
  });

  Deno.test(`${name} ends where the stream of messages is aborted`, async () => {
    const abort = new AbortController();
    const messages = readMessages(STALLED[type]!(), { signal: abort.signal }).getReader();
    await messages.read();
    const { value: message } = await messages.read();
    const reason = new Error("enough");
    const failure = assertRejects(() => read(message!));
    abort.abort(reason);
    assertStrictEquals(await failure, reason);
    assertStrictEquals(await assertRejects(() => messages.read()), reason);
  });

  Deno.test(`${name} fails where the messages are cancelled, not as if cut short`, async () => {
    const messages = readMessages(STALLED[type]!()).getReader();
    await messages.read();
    const { value: message } = await messages.read();
    const failure = assertRejects(() => read(message!));
    await messages.cancel("enough");
    assert(!((await failure) instanceof FrameError));
  });
}

Deno.test("an error of the stream of bytes between messages fails the stream of messages", async () => {
  const reason = new Error("connection reset");
  const messages = readMessages(byteSource([plainFrame("a"), reason]).stream).getReader();
  assertEquals(await (await messages.read()).value?.text(), "a");
  assertStrictEquals(await assertRejects(() => messages.read()), reason);
});

Deno.test("a broken frame fails the stream of messages behind all before it, and ends the bytes", async () => {
  const source = byteSource([
    join(plainFrame("a"), plainFrame("b"), rawFrame("{}")),
    plainFrame("c"),
  ]);
  const messages = readMessages(source.stream).getReader();
  for (const text of ["a", "b"]) assertEquals(await (await messages.read()).value?.text(), text);
  const error = await assertRejects(() => messages.read(), FrameError);
  assertEquals([error.code, error.field], ["header-field", "byteorder"]);
  assertEquals(source.cancelled.length, 1, "no one needs the rest");
});

Deno.test("cancelling the messages cancels the stream of bytes with the reason", async () => {
  for (const reads of [0, 1, 2]) {
    const source = byteSource([
      plainFrame("a"),
      rawFrame(headerText(1_000_000), "x"),
      bytesOf("y"),
    ]);
    const messages = readMessages(source.stream).getReader();
    for (let i = 0; i < reads; i++) await messages.read();
    await messages.cancel("enough");
    assertEquals(source.cancelled, ["enough"]);
  }
});

Deno.test("a signal cancels the stream of bytes and fails the stream of messages", async () => {
  const abort = new AbortController();
  const source = byteSource(Array(100).fill(plainFrame("a")));
  const messages = readMessages(source.stream, { signal: abort.signal }).getReader();
  await messages.read();
  const reason = new Error("enough");
  abort.abort(reason);
  assertStrictEquals(await assertRejects(() => messages.read()), reason);
  assertEquals(source.cancelled, [reason]);
});

Deno.test("a signal ends a read that waits for bytes", async () => {
  const abort = new AbortController();
  const cancelled: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>({
    cancel: (reason) => {
      cancelled.push(reason);
    },
  });
  const messages = readMessages(stream, { signal: abort.signal }).getReader();
  const failure = assertRejects(() => messages.read());
  abort.abort();
  assertStrictEquals(await failure, abort.signal.reason);
  assertEquals(cancelled, [abort.signal.reason]);
});

Deno.test("a signal that is aborted before ends the stream of messages at once", async () => {
  const source = byteSource([plainFrame("a")]);
  const signal = AbortSignal.abort("before");
  const messages = readMessages(source.stream, { signal }).getReader();
  assertEquals(await messages.read().catch((reason) => reason), "before");
  assertEquals([source.pulls, source.cancelled], [0, ["before"]]);
});

Deno.test("bytes() and its like refuse content above maxBufferedBytes, which streams all the same", async () => {
  const content = new Uint8Array(300_000);
  const frame = encodeFrame({ content });
  const stream = ReadableStream.from([
    frame,
    frame,
    frame.slice(0, 200_000),
    frame.slice(200_000),
    plainFrame("end"),
  ]);
  const messages = readMessages(stream, { maxBufferedBytes: 299_999 }).getReader();
  const first = (await messages.read()).value!;
  const error = await assertRejects(() => first.bytes(), FrameError);
  assertEquals([error.code, error.part], ["frame-too-large", "content"]);
  assertEquals([error.expected, error.limit], [300_000, 299_999]);
  let size = 0;
  for await (const chunk of (await messages.read()).value!.content) size += chunk.length;
  assertEquals(size, 300_000);
  await assertRejects(async () => (await messages.read()).value!.text(), FrameError);
  assertEquals(await (await messages.read()).value!.text(), "end");
});

Deno.test("bytes() takes content of exactly maxBufferedBytes, however small", async () => {
  for (
    const [limit, size, right] of [[0, 0, true], [0, 1, false], [5, 5, true], [5, 6, false], [
      300_000,
      300_000,
      true,
    ]]
  ) {
    const frame = encodeFrame({ content: new Uint8Array(size as number) });
    const messages = readMessages(ReadableStream.from([frame]), {
      maxBufferedBytes: limit as number,
    }).getReader();
    const message = (await messages.read()).value!;
    if (right) assertEquals((await message.bytes()).length, size);
    else {assertEquals(
        (await assertRejects(() => message.bytes(), FrameError)).code,
        "frame-too-large",
      );}
  }
});

Deno.test("content is never buffered on a mere claim", async () => {
  const source = byteSource([rawFrame(headerText(2 ** 50), "x".repeat(10))]);
  const before = Deno.memoryUsage().external;
  const message =
    (await readMessages(source.stream, { maxBufferedBytes: 2 ** 51 }).getReader().read()).value!;
  assertEquals((await assertRejects(() => message.bytes(), FrameError)).code, "truncated");
  assert(Deno.memoryUsage().external - before < 64 * 1_048_576);
});

Deno.test("readMessages() fails at a frame that is too large, or tells onSkip and goes on", async () => {
  const bytes = join(plainFrame("a"), plainFrame("too long"), plainFrame("b"));
  const strict = readMessages(ReadableStream.from([bytes]), { maxContentBytes: 5 }).getReader();
  await strict.read();
  assertEquals((await assertRejects(() => strict.read(), FrameError)).code, "frame-too-large");
  const skipped: FrameError[] = [];
  const messages = readMessages(ReadableStream.from([bytes]), {
    maxContentBytes: 5,
    onSkip: (error) => skipped.push(error),
  });
  const texts: string[] = [];
  for await (const message of messages) texts.push(await message.text());
  assertEquals([texts, skipped.length], [["a", "b"], 1]);
});
