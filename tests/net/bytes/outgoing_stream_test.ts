import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  ChunkDecoder,
  ContentStreamError,
  encodeFrame,
  readMessages,
} from "../../../lib/frame/mod.ts";
import { OutgoingStream } from "../../../lib/net/bytes/outgoing_stream.ts";
import { WriteQueue } from "../../../lib/net/bytes/write_queue.ts";
import { contentStream, type Step, STREAM_KINDS } from "../../support/content_streams.ts";
import { deadline, pause } from "../../support/deadline.ts";

const HIGH_WATER = 100_000;

/** A socket that keeps what it is given, and can be stopped. */
class Socket {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  /** While it is there, writes wait for it. */
  stopped: PromiseWithResolvers<void> | undefined;

  async write(bytes: Uint8Array): Promise<number> {
    await this.stopped?.promise;
    this.chunks.push(bytes.slice());
    this.bytes += bytes.length;
    return bytes.length;
  }
}

function streamed(steps: Iterable<Step>, length: number, kind = STREAM_KINDS[0] as never) {
  const content = contentStream(steps, kind);
  const frame = { header: { "content-length": length, id: 7 }, content: content.stream };
  return { ...content, content, frame };
}

function bytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => i & 0xff);
}

Deno.test("a streamed frame is the frame that its content would make", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 3_000 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom(...STREAM_KINDS),
      async (count, size, kind) => {
        const content = bytes(count);
        const steps = [];
        for (let at = 0; at < count; at += size) steps.push(content.slice(at, at + size));
        const socket = new Socket();
        const output = new WriteQueue(socket, HIGH_WATER);
        const stream = new OutgoingStream(streamed(steps, count, kind as never).frame, 0);
        assertEquals(stream.begun, false);
        await stream.send(output);
        assertEquals(stream.begun, true);
        await output.flushed();
        const sent = new Uint8Array(await new Blob(socket.chunks as BlobPart[]).arrayBuffer());
        assertEquals(sent, encodeFrame({ header: { id: 7 }, content }));
      },
    ),
  );
});

Deno.test("a message that came can be passed on, with its header", async () => {
  const came = encodeFrame({ header: { "content-type": "text/x", n: [1] }, content: "hello" });
  const socket = new Socket();
  const output = new WriteQueue(socket, HIGH_WATER);
  for await (const message of readMessages(ReadableStream.from([came.slice()]))) {
    await new OutgoingStream(message, 0).send(output);
  }
  await output.flushed();
  const [frame] = new ChunkDecoder().push(
    new Uint8Array(await new Blob(socket.chunks as BlobPart[]).arrayBuffer()),
  ).frames;
  assertEquals([frame?.text(), frame?.header["content-type"], frame?.header["n"]], [
    "hello",
    "text/x",
    [1],
  ]);
});

Deno.test("no more is read than the output has room for", async () => {
  const length = 5_000_000;
  const piece = bytes(10_000);
  for (const kind of STREAM_KINDS) {
    const socket = new Socket();
    socket.stopped = Promise.withResolvers();
    const output = new WriteQueue(socket, HIGH_WATER);
    const { frame, content } = streamed(
      Array.from({ length: 500 }, () => piece.slice()),
      length,
      kind as never,
    );
    const sending = new OutgoingStream(frame, 0).send(output);
    await pause(20);
    assertLess(content.given, HIGH_WATER + 2 * 131_072);
    assertLess(output.pendingBytes, HIGH_WATER + 131_072 + 200);
    socket.stopped.resolve();
    socket.stopped = undefined;
    await deadline(sending);
    await output.flushed();
    assertEquals(content.given, length);
  }
});

Deno.test("a stream that fails before its first byte leaves the output as it was", async () => {
  const failing: [Step[], number][] = [
    [[new Error("no")], 10],
    [[], 10],
    [[bytes(11)], 10],
    [[bytes(1)], 0],
    [["hang"], 10],
  ];
  for (const [steps, length] of failing) {
    const output = new WriteQueue(new Socket(), HIGH_WATER);
    const stream = new OutgoingStream(streamed(steps, length).frame, 20);
    await assertRejects(() => deadline(stream.send(output)), ContentStreamError);
    assertEquals([stream.begun, output.pendingBytes], [false, 0]);
  }
});

Deno.test("a stream that fails later has begun, and less than the frame was sent", async () => {
  const failing: Step[][] = [
    [bytes(4), new Error("no")],
    [bytes(4)],
    [bytes(4), bytes(7)],
    [bytes(4), "hang"],
    [bytes(4), bytes(6), "hang"],
    [bytes(4), bytes(6), bytes(1)],
  ];
  const whole = encodeFrame({ header: { id: 7 }, content: bytes(10) }).length;
  for (const steps of failing) {
    const socket = new Socket();
    const output = new WriteQueue(socket, HIGH_WATER);
    const stream = new OutgoingStream(streamed(steps, 10).frame, 20);
    await assertRejects(() => deadline(stream.send(output)), ContentStreamError);
    await output.flushed();
    assert(stream.begun && socket.bytes < whole, `${socket.bytes} of ${whole}`);
  }
});

Deno.test("a header that cannot be encoded is refused, and the stream is cancelled", async () => {
  const { frame, content } = streamed([bytes(5), "hang"], 10);
  const output = new WriteQueue(new Socket(), HIGH_WATER);
  const stream = new OutgoingStream(
    { ...frame, header: { ...frame.header, x: "y".repeat(70_000) } },
    0,
  );
  const error = await assertRejects(() => stream.send(output), RangeError);
  assertEquals([stream.begun, output.pendingBytes, content.cancelled], [false, 0, [error]]);
});

Deno.test("a content-length that is none is refused, and the stream is cancelled", async () => {
  for (const length of [undefined, null, NaN, -1, 0.5, Infinity, 2 ** 53, "5"]) {
    const { frame, content } = streamed([bytes(5)], length as number);
    const error = assertThrows(() => new OutgoingStream(frame, 0), RangeError);
    assert(error.message.includes(String(length)), error.message);
    await pause(0);
    assertEquals(content.cancelled, [error]);
  }
  const bare = { content: contentStream([]).stream } as never;
  assertThrows(() => new OutgoingStream(bare, 0), RangeError, "undefined");
});

Deno.test("an output that fails cancels the stream", async () => {
  let broken = false;
  const output = new WriteQueue(
    {
      write: (bytes) => broken ? Promise.reject(new Error("gone")) : Promise.resolve(bytes.length),
    },
    10,
  );
  const steps = function* () {
    for (let i = 0;; i++) {
      broken = i === 3;
      yield bytes(1_000);
    }
  };
  const { frame, content } = streamed(steps(), 1_000_000);
  const error = await assertRejects(() => deadline(new OutgoingStream(frame, 0).send(output)));
  assertEquals(((error as Error).cause as Error).message, "gone");
  assertEquals(content.cancelled, [error]);
});

Deno.test("a stream that is cancelled while it is read fails with the reason", async () => {
  const { frame, content } = streamed([bytes(5), "hang"], 10);
  const stream = new OutgoingStream(frame, 0);
  const sending = stream.send(new WriteQueue(new Socket(), HIGH_WATER)).catch((error) => error);
  await pause(5);
  stream.cancel("enough");
  assertEquals([await deadline(sending), content.cancelled], ["enough", ["enough"]]);
});
