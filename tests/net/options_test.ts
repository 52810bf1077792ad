/** `undefined` for an option is the same as leaving it out, and `null` is no value of any. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Backoff } from "../../lib/base/backoff.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import {
  ChunkDecoder,
  encodeFrame,
  FrameDecoder,
  FrameDecoderStream,
  FrameError,
  jsonFrame,
  readMessages,
} from "../../lib/frame/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import { dial, listen, parseAddress, serveConnections } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";

/** All options of these names, each with this value. */
function all(names: readonly string[], value: unknown): Record<string, never> {
  return Object.fromEntries(names.map((name) => [name, value])) as Record<string, never>;
}

const FRAME = encodeFrame({ content: "hello" });

const LIMITS = ["maxContentBytes", "maxHeaderBytes", "streamAbove"];
const SERVER_LIMITS = [
  "maxConnections",
  "idleTimeoutMs",
  "firstByteTimeoutMs",
  "frameTimeoutMs",
  "maxPendingBytes",
  "maxMemoryBytes",
  "maxUnfinishedBytes",
  "maxUnreadBytes",
  "maxAccepted",
  "drainTimeoutMs",
];

const echo = {
  async serve(connection: Parameters<Parameters<typeof serveConnections>[1]["serve"]>[0]) {
    await connection.read();
    connection.output.buffer.append(Uint8Array.of(1));
    await connection.finish("done", true);
  },
};

Deno.test("undefined for any option of the codec is its default", async () => {
  const options = all(
    [...LIMITS, "headerCache", "onSkip", "signal", "maxBufferedBytes"],
    undefined,
  );
  assertEquals(new FrameDecoder(options).decode(FRAME).frames[0]?.text(), "hello");
  assertEquals(new ChunkDecoder(options).push(FRAME).frames[0]?.text(), "hello");
  const batches = ReadableStream.from([FRAME]).pipeThrough(new FrameDecoderStream(options));
  assertEquals((await Array.fromAsync(batches)).flat()[0]?.text(), "hello");
  for await (const message of readMessages(ReadableStream.from([FRAME]), options)) {
    assertEquals(await message.text(), "hello");
  }
});

Deno.test("undefined for any part of a frame is its default", () => {
  const fields = ["byteorder", "content-type", "content-encoding", "content-length", "id"];
  assertEquals(encodeFrame({ header: undefined, content: undefined }), encodeFrame({}));
  assertEquals(encodeFrame({ header: all(fields, undefined) }), encodeFrame({}));
  assertEquals(
    encodeFrame({ header: all(fields, undefined), content: "text" }),
    encodeFrame({ content: "text" }),
  );
  assertEquals(encodeFrame(jsonFrame(1, all(fields, undefined))), encodeFrame(jsonFrame(1)));
  const error = new FrameError("truncated", "x", all(["field", "part", "cause"], undefined));
  assertEquals("cause" in error, false);
});

Deno.test("undefined for any option of addresses, listeners, clients and servers is its default", async () => {
  assertEquals(parseAddress(":1", all(["hostname", "port"], undefined)), parseAddress(":1"));
  assertThrows(() => parseAddress("host", all(["hostname", "port"], undefined)));
  using listener = await listen("127.0.0.1:0", all(["tls", "reusePort"], undefined));
  assertEquals(listener.secure, false);
  const observer = all(["opened", "closed", "acceptFailed", "received"], undefined);
  const options = {
    ...all([...SERVER_LIMITS, "signal", "tls", "reusePort"], undefined),
    observer,
  };
  for (
    const server of [
      await serveEcho("127.0.0.1:0", options),
      await serveConnections("127.0.0.1:0", { ...echo, refuse: undefined }, options),
    ]
  ) {
    await using _ = server;
    using conn = await dial(server.address, all(["tls", "timeoutMs", "signal"], undefined));
    await conn.write(Uint8Array.of(7));
    assertEquals(await deadline(conn.read(new Uint8Array(1))), 1);
  }
});

Deno.test("null is refused for any option: it must not pass for none", async () => {
  for (const name of LIMITS) {
    const options = all([name], null);
    assertThrows(() => new FrameDecoder(options), TypeError, name);
    assertThrows(() => new ChunkDecoder(options), TypeError, name);
    if (name === "streamAbove") continue;
    assertThrows(() => readMessages(ReadableStream.from([FRAME]), options), TypeError, name);
  }
  assertThrows(() => new FrameDecoder(all(["headerCache"], null)), TypeError, "headerCache");
  assertThrows(() => new Backoff(null!), TypeError, "options");
  const load = { address: "127.0.0.1:1", connections: 1 };
  await assertRejects(() => runLoad({ ...load, answer: null! }), RangeError, "answer");
  const messages = null!;
  await assertRejects(() => runLoad({ ...load, messages }), TypeError, "messages");
  await assertRejects(() => runTutorialExchange({ ...load, messages }), TypeError, "messages");
  for (const name of ["maxBufferedBytes", "onSkip", "signal"]) {
    const options = all([name], null);
    assertThrows(() => readMessages(ReadableStream.from([FRAME]), options), TypeError, name);
  }
  for (const name of ["tls", "reusePort"]) {
    await assertRejects(() => listen("127.0.0.1:0", all([name], null)), TypeError, name);
  }
  using listener = await listen("127.0.0.1:0");
  for (const name of [...SERVER_LIMITS, "signal", "observer"]) {
    assertThrows(() => serveConnections(listener, echo, all([name], null)), TypeError, name);
  }
  for (const name of ["tls", "signal", "timeoutMs"]) {
    await assertRejects(() => dial(listener.address, all([name], null)), TypeError, name);
  }
});
