/**
 * One large content over loopback: read by a bare loop, by the decoder in the connection's buffer, as
 * a stream of bytes and as a message's, chunk by chunk and into memory of the reader's.
 *
 * @module
 */
import { FrameDecoder, readMessages } from "../../lib/frame/mod.ts";
import { byteStream, Connection } from "../../lib/net/mod.ts";
import type { LibraryRows } from "./library_rows.ts";
import {
  type Figures,
  freePort,
  median,
  ROOT,
  type ServerProcess,
  startServer,
} from "./support.ts";

const BYTES = 2 ** 30;
const ROUNDS = 5;

/** What is read at a time where two versions are compared. */
const SHORT_BYTES = 2 ** 29;

/** Ways to read, by the names of their rows. */
const READERS: Readonly<Record<string, (conn: Deno.Conn) => Promise<number>>> = {
  "FrameDecoder in parts": readWithDecoder,
  "byte stream": async (conn) => await readChunks(byteStream(conn)),
  "byte stream, own memory": async (conn) => await readInto(byteStream(conn)),
  "message content stream": (conn) => readMessage(conn, readChunks),
  "message content stream, own memory": (conn) => readMessage(conn, readInto),
};

/** Measures; rates in GB/s, ratios to the bare loop of the same round. */
export async function run(): Promise<Figures> {
  await using source = await startSource(BYTES);
  const bare: number[] = [];
  const rates: Record<string, number[]> = {};
  for (let i = 0; i < ROUNDS; i++) {
    bare.push(await rate(source, BYTES, readBare));
    for (const [name, read] of Object.entries(READERS)) {
      (rates[name] ??= []).push(await rate(source, BYTES, read));
    }
  }
  const figures: Figures = { "bare conn.read loop, GB/s": median(bare) };
  for (const [name, all] of Object.entries(rates)) {
    figures[`${name}, GB/s`] = median(all);
    figures[`${name} / bare`] = median(all.map((each, i) => each / bare[i]!));
  }
  return figures;
}

/** The rows, in GB/s. */
export async function open(): Promise<LibraryRows> {
  const source = await startSource(SHORT_BYTES);
  const rows = Object.entries(READERS).map((
    [name, read],
  ) => [name, () => rate(source, SHORT_BYTES, read)]);
  return {
    rows: Object.fromEntries(rows),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** Starts a program that sends one frame with this much content to whoever connects. */
function startSource(bytes: number): Promise<ServerProcess> {
  const port = freePort();
  const program = new URL("stream_source.ts", import.meta.url).pathname;
  const args = ["run", "-A", "-q", "--config", `${ROOT}/deno.json`, program, `${port}`, `${bytes}`];
  return startServer(Deno.execPath(), args, port);
}

async function rate(
  { port }: ServerProcess,
  due: number,
  read: (conn: Deno.Conn) => Promise<number>,
): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const start = performance.now();
  const bytes = await read(conn);
  if (bytes < due) throw new Error(`Only ${bytes} bytes came`);
  return bytes / (performance.now() - start) / 1e6;
}

async function readBare(conn: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let bytes = 0;
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) bytes += n;
  return bytes;
}

async function readWithDecoder(conn: Deno.Conn): Promise<number> {
  const connection = new Connection(conn, 0);
  const decoder = new FrameDecoder({ streamAbove: 65_536, maxContentBytes: BYTES });
  const { input } = connection;
  let bytes = 0;
  while (await connection.read()) {
    const { frames, consumed, error } = decoder.decode(input.bytes, input.start, input.end);
    if (error) throw error;
    for (const frame of frames) bytes += frame.content.length;
    input.consume(consumed);
  }
  return bytes;
}

async function readMessage(
  conn: Deno.Conn,
  read: (content: ReadableStream<Uint8Array>) => Promise<number>,
): Promise<number> {
  let bytes = 0;
  for await (const message of readMessages(byteStream(conn))) bytes += await read(message.content);
  return bytes;
}

async function readChunks(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

/** As large as the bare loop's. */
async function readInto(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader({ mode: "byob" });
  let bytes = 0;
  let memory = new Uint8Array(65_536);
  while (true) {
    const { done, value } = await reader.read(memory);
    if (done) return bytes;
    bytes += value.length;
    memory = new Uint8Array(value.buffer);
  }
}
