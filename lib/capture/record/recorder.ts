import { checkGiven, checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { bytesOption, numericOption } from "../../base/numeric_options.ts";
import type { Address } from "../../net/mod.ts";
import { appendHead, appendPacket } from "../file/pcapng_encoder.ts";
import { FLAG } from "../packet/tcp_segment.ts";
import { MAX_PAYLOAD_BYTES, packetBytes, writePacket } from "../packet/tcp_writer.ts";
import { type Direction, otherWay } from "../../net/direction.ts";
import { nowUs } from "../now_us.ts";
import { type PacketEnds, packetEnds } from "./endpoints.ts";
import { RecordingFile } from "./recording_file.ts";

/** Options of {@linkcode openRecorder}. */
export interface RecorderOptions {
  /** The file, by custom `NAME.pcapng`. */
  readonly path: string;
  /**
   * When the file would get larger, it is renamed to `NAME.1.pcapng`, in the place of an older one,
   * and another one is begun: both together take at most twice this many bytes.
   *
   * @default {Infinity}
   */
  readonly maxBytes?: number | undefined;
  /** The program that records, with its version. @default {"socktool"} */
  readonly application?: string | undefined;
  /** What is recorded. @default {""} */
  readonly description?: string | undefined;
  /** Is called once if writing fails: recording has ended then, and traffic goes on. */
  readonly onFailed?: ((error: unknown) => void) | undefined;
}

const MAX_BYTES = bytesOption(Infinity, 1_048_576);

/** Records connections. Closing it writes what is gathered. */
export interface Recorder extends Disposable {
  /** Where it writes. */
  readonly path: string;
  /** Whether it has ended: by `close`, or because writing failed. */
  readonly isOver: boolean;
  /** Begins to record a connection. */
  open(client: Address, server: Address): RecordedConnection;
  /** Writes what is gathered, and ends. */
  close(): void;
}

/** A connection that is recorded. After the recorder's end its methods do nothing. */
export interface RecordedConnection {
  /** Records bytes that go one way. They are copied. */
  bytes(direction: Direction, bytes: Uint8Array): void;
  /** Records that one side sends no more. */
  ended(direction: Direction): void;
  /** Records that one side breaks the connection off. */
  reset(direction: Direction): void;
}

/**
 * Begins a recording in pcapng, which Wireshark and other tools open: the true bytes and times of
 * connections, in made-up packets of IP and TCP. What TLS encrypts is recorded as it is before.
 *
 * Only the file's owner may read it. What is in it at any time is a valid file, also after a kill.
 *
 * @example
 * ```ts
 * import { openRecorder, readCapture, TrafficSummary } from "@socktool/socktool/capture";
 * import { encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pcapng" });
 * {
 *   using recorder = openRecorder({ path });
 *   const end = (port: number) => ({ transport: "tcp", hostname: "127.0.0.1", port } as const);
 *   const connection = recorder.open(end(50_000), end(5634));
 *   connection.bytes("up", encodeFrame({ header: { op: "ping", id: 1 } }));
 *   connection.bytes("down", encodeFrame({ header: { op: "pong", id: 1 } }));
 *   connection.ended("up");
 *   connection.ended("down");
 * }
 * const summary = await TrafficSummary.create();
 * using file = await Deno.open(path);
 * const { format } = await readCapture(file, summary.watch());
 * assertEquals([format, summary.figures().frames], ["pcapng", 2]);
 * await Deno.remove(path);
 * ```
 *
 * @throws {CaptureError} with code `not-a-recording` if the file is there and is something else.
 * @throws {TypeError | RangeError} if `maxBytes` is no number of bytes, or below 1 MiB.
 * @throws what the system says if the file cannot be written.
 */
export function openRecorder(options: RecorderOptions): Recorder {
  return new PcapngRecorder(options);
}

const KINDS: OptionKinds<RecorderOptions> = {
  application: "text",
  description: "text",
  onFailed: "function",
};

class PcapngRecorder implements Recorder {
  readonly path: string;
  readonly #file: RecordingFile;
  #connections = 0;

  constructor(options: RecorderOptions) {
    checkGiven("path", options.path, "text");
    checkOptions(options, KINDS);
    const { path, application = "socktool", description = "", onFailed } = options;
    const maxBytes = numericOption("maxBytes", options.maxBytes, MAX_BYTES);
    this.path = path;
    this.#file = RecordingFile.open({
      path,
      maxBytes,
      head: (buffer) => appendHead(buffer, { application, description }),
      onFailed: (error) => onFailed?.(error),
    });
  }

  get isOver(): boolean {
    return this.#file.isOver;
  }

  open(client: Address, server: Address): RecordedConnection {
    const ends = packetEnds(client, server, ++this.#connections);
    return new RecordedFlow(this.#file, ends);
  }

  close(): void {
    this.#file.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const NOTHING = new Uint8Array(0);

/** Both sides of a made-up connection: their sequence numbers, and what they have said. */
class RecordedFlow implements RecordedConnection {
  readonly #file: RecordingFile;
  readonly #ends: PacketEnds;
  /** Sequence numbers of the next byte. They begin at 0, so that they are offsets, and wrap. */
  readonly #next: Record<Direction, number> = { up: 0, down: 0 };
  readonly #ended: Record<Direction, boolean> = { up: false, down: false };

  constructor(file: RecordingFile, ends: PacketEnds) {
    this.#file = file;
    this.#ends = ends;
    this.#append("up", FLAG.syn, NOTHING, ends.comment);
    this.#append("down", FLAG.syn | FLAG.ack, NOTHING);
    this.#append("up", FLAG.ack, NOTHING);
  }

  bytes(direction: Direction, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD_BYTES) {
      const payload = bytes.subarray(at, at + MAX_PAYLOAD_BYTES);
      this.#append(direction, FLAG.psh | FLAG.ack, payload);
    }
  }

  ended(direction: Direction): void {
    if (this.#ended[direction]) return;
    this.#ended[direction] = true;
    this.#append(direction, FLAG.fin | FLAG.ack, NOTHING);
  }

  reset(direction: Direction): void {
    if (this.#ended.up && this.#ended.down) return;
    this.#ended.up = this.#ended.down = true;
    this.#append(direction, FLAG.rst | FLAG.ack, NOTHING);
  }

  #append(direction: Direction, flags: number, payload: Uint8Array, comment?: string): void {
    const file = this.#file;
    if (file.isOver) return;
    const { client, server } = this.#ends;
    const [source, target] = direction === "up" ? [client, server] : [server, client];
    const sequence = this.#next[direction];
    const acknowledged = this.#next[otherWay(direction)];
    const segment = { source, target, sequence, acknowledged, flags, payload };
    const write = (bytes: Uint8Array<ArrayBuffer>, at: number) => writePacket(bytes, at, segment);
    appendPacket(file.buffer, nowUs(), packetBytes(segment), write, comment);
    const counted = (flags & (FLAG.syn | FLAG.fin)) !== 0 ? 1 : 0;
    this.#next[direction] = (sequence + payload.length + counted) >>> 0;
    file.appended();
  }
}
