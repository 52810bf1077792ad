/** Captures that are larger than any memory, made while they are read. */
import { ByteBuffer } from "../../lib/base/byte_buffer.ts";
import { appendHead, appendPacket } from "../../lib/capture/file/pcapng_encoder.ts";
import { FLAG } from "../../lib/capture/packet/tcp_segment.ts";
import { packetBytes, writePacket } from "../../lib/capture/packet/tcp_writer.ts";
import { encodeFrame } from "../../lib/frame/mod.ts";
import { Program, residentBytes, script } from "../support/programs.ts";

/** What `inspect` said of a large capture, and the most memory that it had meanwhile. */
export interface LargeInspection {
  readonly peakBytes: number;
  /** The summary, as an object. */
  readonly summary: Readonly<Record<string, unknown>>;
  readonly sentFrames: number;
  readonly sentBytes: number;
}

const SERVER = { host: new Uint8Array([127, 0, 0, 1]), port: 5634 };
const CONTENT_BYTES = 60_000;
/** A short connection beside the long one, after so many frames. */
const SHORT_EVERY = 20;

/** Has `socktool inspect` read a capture of one long connection, and many short ones, from stdin. */
export async function inspectLarge(bytes: number): Promise<LargeInspection> {
  const args = ["inspect", "-", "--show", "summary", "--json"];
  await using program = new Program(script("cmd/socktool.ts", ...args), { stdin: "" });
  const buffer = new ByteBuffer(4 * 1_048_576);
  appendHead(buffer, { application: "test", description: "" });
  const content = new Uint8Array(CONTENT_BYTES).map((_, i) => i);
  const frame = encodeFrame({ header: { op: "pub", topic: "a.b" }, content });
  const ping = encodeFrame({ header: { op: "ping", id: 1 } });
  let timeUs = 1_700_000_000_000_000;
  const append = (port: number, sequence: number, flags: number, payload: Uint8Array) => {
    const segment = {
      source: { host: SERVER.host, port },
      target: SERVER,
      sequence,
      acknowledged: 0,
      flags,
      payload,
    };
    appendPacket(buffer, timeUs += 10, packetBytes(segment), (to, at) => {
      writePacket(to, at, segment);
    });
  };
  let [sentBytes, sentFrames, peakBytes, sequence] = [0, 0, 0, 1];
  append(60_000, 0, FLAG.syn, new Uint8Array(0));
  while (sentBytes < bytes) {
    append(60_000, sequence, FLAG.psh, frame);
    sequence = (sequence + frame.length) >>> 0;
    sentBytes += frame.length;
    sentFrames++;
    if (sentFrames % SHORT_EVERY === 0) {
      const port = 10_000 + (sentFrames / SHORT_EVERY) % 30_000;
      append(port, sentFrames, FLAG.syn, new Uint8Array(0));
      append(port, sentFrames + 1, FLAG.psh, ping);
      append(port, sentFrames + 1 + ping.length, FLAG.rst, new Uint8Array(0));
      sentBytes += ping.length;
      sentFrames++;
    }
    if (buffer.length < 1_048_576) continue;
    await program.type(buffer.view());
    buffer.clear();
    peakBytes = Math.max(peakBytes, residentBytes(program.pid));
  }
  await program.type(buffer.view());
  await program.endStdin();
  const { out } = await program.finished();
  return { peakBytes, summary: JSON.parse(out), sentFrames, sentBytes };
}
