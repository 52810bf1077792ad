import { CaptureError } from "../capture_error.ts";
import { CapturedPacket, MAX_BLOCK_BYTES, type PacketParser, type PacketSink } from "./packet.ts";
import { BLOCK, BLOCK_FRAME_BYTES, BYTE_ORDER_MAGIC, OPTION, padded } from "./pcapng.ts";

/** An interface of a section. */
interface Interface {
  readonly linkType: number;
  /** How much of a packet is kept; 0 for all. */
  readonly snapBytes: number;
  /** Timestamp units in a second: a power of 10 or of 2. */
  readonly unitsPerSecond: number;
  readonly offsetSeconds: number;
}

/** More interfaces than this in a section are taken for damage. */
const MAX_INTERFACES = 65_536;

/** Whether bytes begin as a pcapng file does. */
export function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x0a && bytes[1] === 0x0d && bytes[2] === 0x0d &&
    bytes[3] === 0x0a;
}

/**
 * Reads pcapng: any number of sections, each in its own byte order, with any number of interfaces.
 * Blocks without packets are skipped.
 */
export class PcapngParser implements PacketParser {
  #littleEndian = true;
  #inSection = false;
  #interfaces: Interface[] = [];
  /** Bytes of the file before those of the current call, for messages. */
  #readBytes = 0;
  readonly #packet = new CapturedPacket();

  /** Reads whole blocks. */
  parse(buffer: Uint8Array, start: number, end: number, sink: PacketSink): number {
    const view = new DataView(buffer.buffer, buffer.byteOffset);
    let at = start;
    while (end - at >= BLOCK_FRAME_BYTES) {
      const where = this.#readBytes + at - start;
      if (view.getUint32(at) === BLOCK.section) this.#beginSection(view, at, where);
      else if (!this.#inSection) throw damaged(where, "it does not begin with a section");
      const size = view.getUint32(at + 4, this.#littleEndian);
      if (size < BLOCK_FRAME_BYTES || size % 4 !== 0 || size > MAX_BLOCK_BYTES) {
        throw damaged(where, `a block of ${size} bytes`);
      }
      if (end - at < size) break;
      if (view.getUint32(at + size - 4, this.#littleEndian) !== size) {
        throw damaged(where, "the two lengths of a block differ");
      }
      this.#block(buffer, view, at, size, where, sink);
      at += size;
    }
    this.#readBytes += at - start;
    return at - start;
  }

  #beginSection(view: DataView, at: number, where: number): void {
    const order = view.getUint32(at + 8, true);
    if (order === BYTE_ORDER_MAGIC) this.#littleEndian = true;
    else if (view.getUint32(at + 8) === BYTE_ORDER_MAGIC) this.#littleEndian = false;
    else throw damaged(where, "a section without a byte order");
    this.#inSection = true;
    this.#interfaces = [];
  }

  #block(
    buffer: Uint8Array,
    view: DataView,
    at: number,
    size: number,
    where: number,
    sink: PacketSink,
  ): void {
    const little = this.#littleEndian;
    const body = at + 8;
    const bodyEnd = at + size - 4;
    switch (view.getUint32(at, little)) {
      case BLOCK.interface:
        if (size < 20) throw damaged(where, "an interface block that is too short");
        if (this.#interfaces.length >= MAX_INTERFACES) throw damaged(where, "too many interfaces");
        this.#interfaces.push(readInterface(view, body, bodyEnd, little));
        return;
      case BLOCK.packet:
        if (size < 32) throw damaged(where, "a packet block that is too short");
        return this.#hand(buffer, view, view.getUint32(body, little), body, bodyEnd, where, sink);
      case BLOCK.oldPacket:
        if (size < 32) throw damaged(where, "a packet block that is too short");
        return this.#hand(buffer, view, view.getUint16(body, little), body, bodyEnd, where, sink);
      case BLOCK.simplePacket: {
        if (size < 16) throw damaged(where, "a packet block that is too short");
        const { linkType, snapBytes } = this.#interface(0, where);
        const originalBytes = view.getUint32(body, little);
        const kept = snapBytes > 0 ? Math.min(snapBytes, originalBytes) : originalBytes;
        const dataEnd = body + 4 + Math.min(kept, bodyEnd - body - 4);
        // It has no time: that of the packet before it is the best guess.
        Object.assign(this.#packet, { linkType, originalBytes });
        this.#packet.data = buffer.subarray(body + 4, dataEnd);
        return sink(this.#packet);
      }
    }
  }

  #hand(
    buffer: Uint8Array,
    view: DataView,
    id: number,
    body: number,
    bodyEnd: number,
    where: number,
    sink: PacketSink,
  ): void {
    const little = this.#littleEndian;
    const { linkType, unitsPerSecond, offsetSeconds } = this.#interface(id, where);
    const captured = view.getUint32(body + 12, little);
    if (captured > bodyEnd - body - 20) throw damaged(where, "a packet longer than its block");
    const high = view.getUint32(body + 4, little);
    const low = view.getUint32(body + 8, little);
    const packet = this.#packet;
    packet.timeUs = offsetSeconds * 1e6 + microseconds(high, low, unitsPerSecond);
    packet.linkType = linkType;
    packet.originalBytes = view.getUint32(body + 16, little);
    packet.data = buffer.subarray(body + 20, body + 20 + captured);
    sink(packet);
  }

  #interface(id: number, where: number): Interface {
    const found = this.#interfaces[id];
    if (found === undefined) {
      throw damaged(where, `a packet of interface ${id}, which there is not`);
    }
    return found;
  }
}

/** A timestamp of 64 bits in microseconds. Whole numbers up to 2^53 are exact: until 2255. */
function microseconds(high: number, low: number, unitsPerSecond: number): number {
  if (unitsPerSecond === 1e6) return high * 2 ** 32 + low;
  const units = (BigInt(high) << 32n) | BigInt(low);
  return Number(units * 1_000_000n / BigInt(unitsPerSecond));
}

function readInterface(view: DataView, body: number, bodyEnd: number, little: boolean): Interface {
  let unitsPerSecond = 1e6;
  let offsetSeconds = 0;
  for (let at = body + 8; at + 4 <= bodyEnd;) {
    const code = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (code === OPTION.end || at + 4 + length > bodyEnd) break;
    if (code === OPTION.timeResolution && length >= 1) {
      const power = view.getUint8(at + 4);
      const exponent = power & 0x7f;
      // Finer units than these need more than 64 bits for today.
      if (power & 0x80) unitsPerSecond = 2 ** Math.min(exponent, 63);
      else unitsPerSecond = 10 ** Math.min(exponent, 18);
    }
    if (code === OPTION.timeOffset && length >= 8) {
      offsetSeconds = Number(view.getBigInt64(at + 4, little));
    }
    at += 4 + padded(length);
  }
  return {
    linkType: view.getUint16(body, little),
    snapBytes: view.getUint32(body + 4, little),
    unitsPerSecond,
    offsetSeconds,
  };
}

function damaged(where: number, what: string): CaptureError {
  return new CaptureError("bad-capture", `The capture is damaged at byte ${where}: ${what}`);
}
