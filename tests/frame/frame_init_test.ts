import { assertEquals, assertThrows } from "@std/assert";
import {
  appendFrame,
  ByteBuffer,
  EncodedFrame,
  encodeFrame,
  Frame,
  FrameDecoder,
  type FrameInit,
  isStreamedFrame,
} from "../../lib/frame/mod.ts";

function append(...frames: unknown[]): Uint8Array {
  const buffer = new ByteBuffer();
  for (const frame of frames) appendFrame(buffer, frame as FrameInit);
  return buffer.view();
}

Deno.test("text and bytes are a content; frames are what they are", () => {
  const bytes = new Uint8Array([0, 2, 0x7b, 0x7d]);
  const frame = { header: { id: 1 }, content: "x" };
  const cases: [FrameInit, Uint8Array][] = [
    ["text", encodeFrame({ content: "text" })],
    ["", encodeFrame({ content: "" })],
    [bytes, encodeFrame({ content: bytes })],
    // Bytes that look like a frame are a content like any other.
    [encodeFrame(frame), encodeFrame({ content: encodeFrame(frame) })],
    [frame, encodeFrame(frame)],
    [{ content: undefined }, encodeFrame({})],
    [{ header: { id: 1 } }, encodeFrame({ header: { id: 1 } })],
    [EncodedFrame.encode(frame), encodeFrame(frame)],
  ];
  for (const [init, expected] of cases) assertEquals(append(init), expected);
});

Deno.test("a frame that came can be sent as it is", () => {
  const bytes = encodeFrame({ header: { "content-type": "text/x", id: [1] }, content: "é" });
  const [frame] = new FrameDecoder().decode(bytes).frames;
  assertEquals(frame instanceof Frame, true);
  assertEquals(append(frame), bytes);
});

Deno.test("what cannot be sent is refused by name, and nothing is written", () => {
  class Answer {}
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "the number 5"],
    [true, "the boolean true"],
    [5n, "a bigint"],
    [Symbol("x"), "a symbol"],
    [() => "x", "a function"],
    [{}, "an object"],
    [{ result: 5 }, "an object"],
    [[1, 2], "an array"],
    [new Answer(), "an object of the class Answer"],
    [new Error("x"), "an object of the class Error"],
    [new ArrayBuffer(2), "an object of the class ArrayBuffer"],
    [new Int16Array(2), "an object of the class Int16Array"],
    [Promise.resolve("x"), "an object of the class Promise"],
  ];
  for (const [value, name] of wrong) {
    const buffer = new ByteBuffer();
    appendFrame(buffer, "before");
    const before = buffer.view().slice();
    const error = assertThrows(() => appendFrame(buffer, value as FrameInit), TypeError);
    assertEquals(error.message.startsWith(`Cannot send ${name} as a frame: `), true, error.message);
    assertEquals(buffer.view(), before);
  }
});

Deno.test("a streamed frame is told by its content, whatever else there may be", () => {
  const content = ReadableStream.from([new Uint8Array(1)]);
  assertEquals(isStreamedFrame({ header: { "content-length": 1 }, content }), true);
  for (const other of [undefined, null, 5, "x", {}, { content: null }, { content: "x" }, content]) {
    assertEquals(isStreamedFrame(other), false);
  }
});
