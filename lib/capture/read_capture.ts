import { checkGiven, checkOptions } from "../base/option_kinds.ts";
import { isPcap, PcapParser } from "./file/pcap_parser.ts";
import { isPcapng, PcapngParser } from "./file/pcapng_parser.ts";
import type { PacketParser } from "./file/packet.ts";
import { CaptureError } from "./capture_error.ts";
import { isKnownLink } from "./packet/link_layer.ts";
import { newSegment, type NoSegment, readSegment } from "./packet/tcp_segment.ts";
import { FlowTable } from "./stream/flow_table.ts";
import type { SeenConnection, TrafficObserver } from "./traffic.ts";

/** Where a capture's bytes come from, such as a `Deno.FsFile` or `Deno.stdin`. */
export interface CaptureSource {
  /** Reads some bytes; `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** The form of what was read. */
export type CaptureFormat = "pcapng" | "pcap" | "bytes";

/** What was found in a capture, besides what its observer was told. */
export interface CaptureResult {
  /** How the file was understood; `bytes` is a stream without packets. */
  readonly format: CaptureFormat;
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** Packets in the file. */
  readonly packets: number;
  /** Packets that are no segments of TCP, by the reason. */
  readonly skippedPackets: Readonly<Record<NoSegment, number>>;
  /** Link types that are not understood. */
  readonly unknownLinkTypes: readonly number[];
  /** Payload bytes that were captured more than once, because they were sent again. */
  readonly repeatedBytes: number;
  /** Bytes at the end of the file that are no whole packet: its writer was ended by force. */
  readonly unfinishedBytes: number;
  /** Why reading stopped before the file's end, if it did. What came before was read. */
  readonly damage: CaptureError | undefined;
}

/** Options of {@linkcode readCapture}. */
export interface ReadCaptureOptions {
  /** Stops reading, also while nothing comes; what was read so far counts. */
  readonly signal?: AbortSignal | undefined;
  /** Is waited for after each piece, where it gives a promise: for back-pressure. */
  readonly room?: (() => Promise<void> | undefined) | undefined;
}

const FIRST_BYTES = 1_048_576;
const MAGIC_BYTES = 4;

/**
 * Reads a capture: pcapng, pcap, or else a stream of bytes as it went over a connection. What is in
 * it is told to the observer as if it happened then. The memory that it takes does not grow with the
 * file.
 *
 * @example
 * ```ts
 * import { type CaptureSource, readCapture, TrafficSummary } from "@socktool/socktool/capture";
 * import { encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeFrame({ header: { op: "ping" } });
 * const reads = [bytes];
 * const source: CaptureSource = {
 *   read(into) {
 *     const next = reads.shift();
 *     if (next) into.set(next);
 *     return Promise.resolve(next?.length ?? null);
 *   },
 * };
 * const summary = await TrafficSummary.create();
 * const { format } = await readCapture(source, summary.watch());
 * assertEquals([format, summary.figures().kinds[0]?.kind], ["bytes", "ping"]);
 * ```
 *
 * @throws what the source throws.
 * @throws {TypeError} (as a rejection) if the source cannot be read, or an option is of a wrong type.
 */
export async function readCapture(
  source: CaptureSource,
  observer: TrafficObserver,
  options: ReadCaptureOptions = {},
): Promise<CaptureResult> {
  checkGiven("source", source, "object");
  checkGiven("source.read", source.read, "function");
  checkGiven("observer", observer, "object");
  checkOptions(options, { signal: "signal", room: "function" });
  const { signal, room } = options;
  let buffer = new Uint8Array(FIRST_BYTES);
  let held = 0;
  let fileBytes = 0;
  let over = false;
  const fill = async () => {
    if (held === buffer.length) {
      const grown = new Uint8Array(buffer.length * 2);
      grown.set(buffer);
      buffer = grown;
    }
    const count = await readUntil(signal, source, buffer.subarray(held));
    if (count === null) over = true;
    held += count ?? 0;
    fileBytes += count ?? 0;
  };
  while (held < MAGIC_BYTES && !over && !signal?.aborted) await fill();
  const format = formatOf(buffer.subarray(0, held));
  const reading = readingOf(format, observer);
  let damage: CaptureError | undefined;
  while (damage === undefined) {
    try {
      const consumed = reading.take(buffer, held);
      buffer.copyWithin(0, consumed, held);
      held -= consumed;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      damage = error;
    }
    await room?.();
    if (over || damage || signal?.aborted) break;
    await fill();
  }
  reading.end();
  const unfinishedBytes = over && !damage ? held : 0;
  return { format, fileBytes, unfinishedBytes, damage, ...reading.counts() };
}

function formatOf(magic: Uint8Array): CaptureFormat {
  return isPcapng(magic) ? "pcapng" : isPcap(magic) ? "pcap" : "bytes";
}

function readingOf(format: CaptureFormat, observer: TrafficObserver): PacketReading | ByteReading {
  if (format === "bytes") return new ByteReading(observer);
  return new PacketReading(format === "pcapng" ? new PcapngParser() : new PcapParser(), observer);
}

/** Reads, unless the signal is aborted before something comes: then it gives `undefined`. */
async function readUntil(
  signal: AbortSignal | undefined,
  source: CaptureSource,
  into: Uint8Array,
): Promise<number | null | undefined> {
  if (signal === undefined) return await source.read(into);
  const stopped = Promise.withResolvers<undefined>();
  const stop = () => stopped.resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([source.read(into), stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

type Counts = Pick<
  CaptureResult,
  "packets" | "skippedPackets" | "unknownLinkTypes" | "repeatedBytes"
>;

/** Reads packets. */
class PacketReading {
  readonly #parser: PacketParser;
  readonly #flows: FlowTable;
  readonly #segment = newSegment();
  readonly #skipped = { other: 0, fragment: 0, cut: 0 };
  readonly #unknown = new Set<number>();
  #packets = 0;

  constructor(parser: PacketParser, observer: TrafficObserver) {
    this.#parser = parser;
    this.#flows = new FlowTable(observer);
  }

  take(buffer: Uint8Array, held: number): number {
    return this.#parser.parse(buffer, 0, held, (packet) => {
      this.#packets++;
      const problem = readSegment(packet, this.#segment);
      if (problem === undefined) return this.#flows.segment(this.#segment, packet.timeUs);
      this.#skipped[problem]++;
      if (!isKnownLink(packet.linkType)) this.#unknown.add(packet.linkType);
    });
  }

  end(): void {
    this.#flows.end();
  }

  counts(): Counts {
    return {
      packets: this.#packets,
      skippedPackets: this.#skipped,
      unknownLinkTypes: [...this.#unknown],
      repeatedBytes: this.#flows.repeatedBytes,
    };
  }
}

/** Takes the file for what one side sent. */
class ByteReading {
  readonly #observer: TrafficObserver;
  readonly #connection: SeenConnection;

  constructor(observer: TrafficObserver) {
    this.#observer = observer;
    this.#connection = { id: 1, client: "-", server: "-", fromStart: false, openedUs: 0 };
    observer.opened(this.#connection, 0);
  }

  take(buffer: Uint8Array, held: number): number {
    if (held > 0) this.#observer.bytes(this.#connection, "up", buffer.subarray(0, held), 0);
    return held;
  }

  end(): void {
    this.#observer.ended(this.#connection, "up", 0);
    this.#observer.closed(this.#connection, "closed", 0);
  }

  counts(): Counts {
    return {
      packets: 0,
      skippedPackets: { other: 0, fragment: 0, cut: 0 },
      unknownLinkTypes: [],
      repeatedBytes: 0,
    };
  }
}
