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
const PING = encodeFrame({ header: { op: "ping", id: 1 } });
const NOTHING = new Uint8Array(0);
/** A short connection beside the long one, after so many frames. */
const SHORT_EVERY = 20;

/** `socktool inspect` that reads a capture from stdin while it is made. */
class Inspection implements AsyncDisposable {
  readonly #program = new Program(
    script("cmd/socktool.ts", "inspect", "-", "--show", "summary", "--json"),
    { stdin: "" },
  );
  readonly #buffer = new ByteBuffer(4 * 1_048_576);
  #timeUs = 1_700_000_000_000_000;
  #sentBytes = 0;
  #sentFrames = 0;
  #peakBytes = 0;

  constructor() {
    appendHead(this.#buffer, { application: "test", description: "" });
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get sentFrames(): number {
    return this.#sentFrames;
  }

  /** Adds a packet of a client, which holds a frame or nothing. */
  append(port: number, host: Uint8Array, sequence: number, flags: number, payload = NOTHING): void {
    const segment = {
      source: { host, port },
      target: SERVER,
      sequence,
      acknowledged: 0,
      flags,
      payload,
    };
    appendPacket(this.#buffer, this.#timeUs += 10, packetBytes(segment), (to, at) => {
      writePacket(to, at, segment);
    });
    this.#sentBytes += payload.length;
    if (payload.length > 0) this.#sentFrames++;
  }

  /** Hands on what was added, if it is much. */
  async room(): Promise<void> {
    if (this.#buffer.length >= 1_048_576) await this.#handOn();
  }

  async finish(): Promise<LargeInspection> {
    await this.#handOn();
    await this.#program.endStdin();
    const { out } = await this.#program.finished();
    return {
      peakBytes: this.#peakBytes,
      summary: JSON.parse(out),
      sentFrames: this.#sentFrames,
      sentBytes: this.#sentBytes,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }

  async #handOn(): Promise<void> {
    await this.#program.type(this.#buffer.view());
    this.#buffer.clear();
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.#program.pid));
  }
}

/** A capture of one long connection, and many short ones. */
export async function inspectLarge(bytes: number): Promise<LargeInspection> {
  await using inspection = new Inspection();
  const content = new Uint8Array(CONTENT_BYTES).map((_, i) => i);
  const frame = encodeFrame({ header: { op: "pub", topic: "a.b" }, content });
  const { host } = SERVER;
  let sequence = 1;
  inspection.append(60_000, host, 0, FLAG.syn);
  while (inspection.sentBytes < bytes) {
    inspection.append(60_000, host, sequence, FLAG.psh, frame);
    sequence = (sequence + frame.length) >>> 0;
    const { sentFrames } = inspection;
    if (sentFrames % SHORT_EVERY === 0) {
      const port = 10_000 + (sentFrames / SHORT_EVERY) % 30_000;
      inspection.append(port, host, sentFrames, FLAG.syn);
      inspection.append(port, host, sentFrames + 1, FLAG.psh, PING);
      inspection.append(port, host, sentFrames + 1 + PING.length, FLAG.rst);
    }
    await inspection.room();
  }
  return await inspection.finish();
}

/** A capture of many connections of which the end is not there, beside one that goes on. */
export async function inspectUnclosed(connections: number): Promise<LargeInspection> {
  await using inspection = new Inspection();
  let sequence = 1;
  inspection.append(60_000, SERVER.host, 0, FLAG.syn);
  for (let i = 0; i < connections; i++) {
    const host = new Uint8Array([10, 0, 0, i >>> 14]);
    const port = 10_000 + i % 16_384;
    inspection.append(port, host, 7, FLAG.syn);
    inspection.append(port, host, 8, FLAG.psh, PING);
    if (i % 5_000 === 0) {
      inspection.append(60_000, SERVER.host, sequence, FLAG.psh, PING);
      sequence += PING.length;
    }
    await inspection.room();
  }
  return await inspection.finish();
}
