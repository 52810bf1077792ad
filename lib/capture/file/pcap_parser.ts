import { CaptureError } from "../capture_error.ts";
import { CapturedPacket, MAX_BLOCK_BYTES, type PacketParser, type PacketSink } from "./packet.ts";

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;

/** The magic numbers as they read in the writer's byte order. */
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** Whether bytes begin as a pcap file does. */
export function isPcap(bytes: Uint8Array): boolean {
  return formatOf(bytes) !== undefined;
}

interface Format {
  readonly littleEndian: boolean;
  /** Units of the second half of a timestamp in a microsecond. */
  readonly unitsPerUs: number;
}

function formatOf(bytes: Uint8Array): Format | undefined {
  if (bytes.length < 4) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === MICROSECONDS) return { littleEndian, unitsPerUs: 1 };
    if (magic === NANOSECONDS) return { littleEndian, unitsPerUs: 1_000 };
  }
  return undefined;
}

/**
 * Reads the format of `tcpdump -w` (draft-ietf-opsawg-pcap): a file header, then packets. Either
 * byte order, timestamps in micro- or nanoseconds.
 */
export class PcapParser implements PacketParser {
  #format: Format | undefined;
  #linkType = 0;
  #readBytes = 0;
  readonly #packet = new CapturedPacket();

  /** Reads whole packets. */
  parse(buffer: Uint8Array, start: number, end: number, sink: PacketSink): number {
    const view = new DataView(buffer.buffer, buffer.byteOffset);
    let at = start;
    if (this.#format === undefined) {
      if (end - at < FILE_HEADER_BYTES) return 0;
      const format = formatOf(buffer.subarray(at, end));
      if (!format) throw new CaptureError("bad-capture", "This is no pcap file");
      this.#format = format;
      // The upper bits say how long a checksum stands behind each packet.
      this.#linkType = view.getUint32(at + 20, format.littleEndian) & 0xffff;
      at += FILE_HEADER_BYTES;
    }
    const { littleEndian, unitsPerUs } = this.#format;
    const packet = this.#packet;
    while (end - at >= RECORD_HEADER_BYTES) {
      const captured = view.getUint32(at + 8, littleEndian);
      if (captured > MAX_BLOCK_BYTES) {
        const where = this.#readBytes + at - start;
        throw new CaptureError(
          "bad-capture",
          `The capture is damaged at byte ${where}: a packet of ${captured} bytes`,
        );
      }
      const dataStart = at + RECORD_HEADER_BYTES;
      if (end - dataStart < captured) break;
      const seconds = view.getUint32(at, littleEndian);
      const fraction = view.getUint32(at + 4, littleEndian);
      packet.timeUs = seconds * 1e6 + Math.floor(fraction / unitsPerUs);
      packet.linkType = this.#linkType;
      packet.originalBytes = view.getUint32(at + 12, littleEndian);
      packet.data = buffer.subarray(dataStart, dataStart + captured);
      sink(packet);
      at = dataStart + captured;
    }
    this.#readBytes += at - start;
    return at - start;
  }
}
