/**
 * Captures as other programs make them, built by hand: files of any link type, byte order and time
 * unit, with packets of TCP as a test wants them.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { Buffer } from "node:buffer";
import {
  type CaptureResult,
  type Direction,
  readCapture,
  type SeenConnection,
  type TrafficObserver,
} from "../../lib/capture/mod.ts";

export const SYN = 2, FIN = 1, RST = 4, ACK = 16, PSH = 8;

/** A segment of the test's story. `up` goes from port 50000 to port 5634. */
export interface Step {
  readonly way: Direction;
  readonly seq: number;
  readonly flags?: number;
  readonly ack?: number;
  readonly text?: string | Uint8Array;
  readonly us?: number;
  readonly clientPort?: number;
}

const encoder = new TextEncoder();

export function bytesOf(text: string | Uint8Array | undefined): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text ?? new Uint8Array(0);
}

/** The IP packet of a step. */
export function ipPacket(step: Step, version: 4 | 6 = 4): Uint8Array {
  const { way, seq, ack = 0, text, clientPort = 50_000 } = step;
  const flags = step.flags ?? (PSH | ACK);
  const payload = bytesOf(text);
  const tcp = new DataView(new ArrayBuffer(24));
  const ports = way === "up" ? [clientPort, 5634] : [5634, clientPort];
  tcp.setUint16(0, ports[0]!);
  tcp.setUint16(2, ports[1]!);
  tcp.setUint32(4, seq >>> 0);
  tcp.setUint32(8, ack >>> 0);
  tcp.setUint8(12, 6 << 4); // With four bytes of options.
  tcp.setUint8(13, flags);
  const segment = concat([new Uint8Array(tcp.buffer), payload]);
  const host = (end: number) =>
    version === 4 ? [10, 0, 0, end] : [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, end];
  const hosts = way === "up" ? [...host(1), ...host(2)] : [...host(2), ...host(1)];
  const size = segment.length;
  const head = version === 4
    ? [
      0x46,
      0,
      (size + 24) >> 8,
      (size + 24) & 255,
      0,
      0,
      0x40,
      0,
      64,
      6,
      0,
      0,
      ...hosts,
      1,
      1,
      1,
      1,
    ]
    // One header of options stands before that of TCP.
    : [0x60, 0, 0, 0, (size + 8) >> 8, (size + 8) & 255, 0, 64, ...hosts, 6, 0, 1, 4, 0, 0, 0, 0];
  return concat([new Uint8Array(head), segment]);
}

/** What stands before an IP packet, by the link type. */
export function linkHead(linkType: number, version: 4 | 6): Uint8Array {
  const ethertype = version === 4 ? [8, 0] : [0x86, 0xdd];
  switch (linkType) {
    case 0:
      return new Uint8Array([version === 4 ? 2 : 30, 0, 0, 0]);
    case 108:
      return new Uint8Array([0, 0, 0, version === 4 ? 2 : 24]);
    case 1:
      return new Uint8Array([...Array(12).fill(1), 0x81, 0, 0, 7, ...ethertype]);
    case 113:
      return new Uint8Array([...Array(14).fill(0), ...ethertype]);
    case 276:
      return new Uint8Array([...ethertype, ...Array(18).fill(0)]);
    default:
      return new Uint8Array(0);
  }
}

/** A packet as a file has it. */
export interface FilePacket {
  readonly us: number;
  readonly bytes: Uint8Array;
  /** The size before it was cut. */
  readonly originalBytes?: number;
}

/** The packets of a story, a millisecond apart where it says no times. */
export function packetsOf(
  steps: readonly Step[],
  linkType = 101,
  version: 4 | 6 = 4,
): FilePacket[] {
  return steps.map((step, i) => ({
    us: step.us ?? 1_000_000 + i * 1_000,
    // A short Ethernet frame is filled up.
    bytes: concat([
      linkHead(linkType, version),
      ipPacket(step, version),
      new Uint8Array(linkType === 1 ? 7 : 0),
    ]),
  }));
}

/** A pcap file. */
export function pcap(
  packets: readonly FilePacket[],
  { linkType = 101, little = true, nano = false } = {},
): Uint8Array {
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, nano ? 0xa1b23c4d : 0xa1b2c3d4, little);
  head.setUint16(4, 2, little);
  head.setUint16(6, 4, little);
  head.setUint32(16, 262_144, little);
  head.setUint32(20, linkType, little);
  const parts: Uint8Array[] = [new Uint8Array(head.buffer)];
  for (const { us, bytes, originalBytes } of packets) {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, Math.floor(us / 1e6), little);
    record.setUint32(4, (us % 1e6) * (nano ? 1_000 : 1), little);
    record.setUint32(8, bytes.length, little);
    record.setUint32(12, originalBytes ?? bytes.length, little);
    parts.push(new Uint8Array(record.buffer), bytes);
  }
  return concat(parts);
}

/** A pcapng file: a section with two interfaces, of which the packets have the second. */
export function pcapng(
  packets: readonly FilePacket[],
  { linkType = 101, little = true, resolution = 6, old = false } = {},
): Uint8Array {
  const words = (...values: number[]) => {
    const view = new DataView(new ArrayBuffer(values.length * 4));
    values.forEach((value, i) => view.setUint32(i * 4, value, little));
    return new Uint8Array(view.buffer);
  };
  const halves = (...values: number[]) => {
    const view = new DataView(new ArrayBuffer(values.length * 2));
    values.forEach((value, i) => view.setUint16(i * 2, value, little));
    return new Uint8Array(view.buffer);
  };
  const block = (type: number, ...body: Uint8Array[]) => {
    const size = 12 + body.reduce((sum, { length }) => sum + length, 0);
    return concat([words(type, size), ...body, words(size)]);
  };
  const parts = [
    block(0x0a0d0d0a, words(0x1a2b3c4d), halves(1, 0), words(0xffffffff, 0xffffffff)),
    block(1, halves(147, 0), words(0)),
    block(0x0bad, words(1, 2, 3)),
    block(
      1,
      halves(linkType, 0),
      words(0),
      halves(9, 1),
      new Uint8Array([resolution, 0, 0, 0]),
      halves(0, 0),
    ),
  ];
  const binary = (resolution & 0x80) !== 0;
  const units = binary ? 2 ** (resolution & 0x7f) : 10 ** resolution;
  for (const { us, bytes, originalBytes } of packets) {
    const time = BigInt(us) * BigInt(units) / 1_000_000n;
    const at = words(Number(time >> 32n), Number(time & 0xffffffffn));
    const sizes = words(bytes.length, originalBytes ?? bytes.length);
    const padding = new Uint8Array(-bytes.length & 3);
    const id = old ? halves(1, 0) : words(1);
    parts.push(block(old ? 2 : 6, id, at, sizes, bytes, padding));
  }
  return concat(parts);
}

/** What was seen of one connection: bytes, with the gaps as numbers between them. */
export interface Seen {
  readonly connection: SeenConnection;
  readonly up: (string | number)[];
  readonly down: (string | number)[];
  readonly times: number[];
  ended: string;
  how: string;
}

/** Reads a file in chunks of some size, and tells what was in it. Bytes stand as latin-1 texts. */
export async function readAll(
  file: Uint8Array,
  chunkBytes = Infinity,
): Promise<CaptureResult & { readonly seen: readonly Seen[] }> {
  const seen = new Map<SeenConnection, Seen>();
  const observer: TrafficObserver = {
    opened: (connection) => {
      seen.set(connection, { connection, up: [], down: [], times: [], ended: "", how: "" });
    },
    bytes(connection, direction, bytes, timeUs) {
      const one = seen.get(connection)!;
      const parts = one[direction];
      const text = Buffer.from(bytes).toString("latin1");
      one.times.push(timeUs);
      if (typeof parts.at(-1) === "string") parts[parts.length - 1] += text;
      else parts.push(text);
    },
    gap: (connection, direction, count) => void seen.get(connection)![direction].push(count),
    ended: (connection, direction) => void (seen.get(connection)!.ended += `${direction} `),
    closed: (connection, how) => void (seen.get(connection)!.how = how),
  };
  const result = await readCapture(sourceOf(file, chunkBytes), observer);
  return { ...result, seen: [...seen.values()] };
}

/** Gives bytes in chunks. */
export function sourceOf(bytes: Uint8Array, chunkBytes = Infinity) {
  let at = 0;
  return {
    read(into: Uint8Array): Promise<number | null> {
      if (at === bytes.length) return Promise.resolve(null);
      const chunk = bytes.subarray(at, at + Math.min(chunkBytes, into.length));
      into.set(chunk);
      at += chunk.length;
      return Promise.resolve(chunk.length);
    },
  };
}
