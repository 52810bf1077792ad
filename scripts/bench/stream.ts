/**
 * One content of 1 GiB over loopback: read by a bare loop, by the decoder in the connection's
 * buffer, and as a message's stream. Run alone or by `deno task bench stream`.
 *
 * @module
 */
import { FrameDecoder, readMessages } from "../../lib/frame/mod.ts";
import { byteStream, Connection } from "../../lib/net/mod.ts";
import { denoArgs, type Figures, freePort, median, startServer } from "./support.ts";

const BYTES = 2 ** 30;
const ROUNDS = 5;

/** Measures; rates in GB/s, ratios to the bare loop of the same round. */
export async function run(): Promise<Figures> {
  const port = freePort();
  const source = denoArgs("scripts/bench/stream_source.ts", String(port), String(BYTES));
  await using _server = await startServer(Deno.execPath(), source, port);
  const bare: number[] = [], core: number[] = [], streams: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    bare.push(await rate(port, readBare));
    core.push(await rate(port, readWithDecoder));
    streams.push(await rate(port, readAsMessage));
  }
  const ratio = (rates: number[]) => median(rates.map((rate, i) => rate / bare[i]!));
  return {
    "bare conn.read loop, GB/s": median(bare),
    "FrameDecoder in parts, GB/s": median(core),
    "message content stream, GB/s": median(streams),
    "FrameDecoder in parts / bare": ratio(core),
    "message content stream / bare": ratio(streams),
  };
}

async function rate(port: number, read: (conn: Deno.Conn) => Promise<number>): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const start = performance.now();
  const bytes = await read(conn);
  if (bytes < BYTES) throw new Error(`Only ${bytes} bytes came`);
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

async function readAsMessage(conn: Deno.Conn): Promise<number> {
  let bytes = 0;
  for await (const message of readMessages(byteStream(conn))) {
    for await (const part of message.content) bytes += part.length;
  }
  return bytes;
}

if (import.meta.main) {
  const { printFigures } = await import("./print.ts");
  printFigures("stream", await run());
}
