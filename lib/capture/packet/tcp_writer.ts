import { FLAG } from "./tcp_segment.ts";

/** One end of a made-up TCP connection. */
export interface PacketEndpoint {
  /** 4 bytes of IPv4, or 16 of IPv6. Both ends have the same. */
  readonly host: Uint8Array;
  readonly port: number;
}

/** A segment to be written. */
export interface OutgoingSegment {
  readonly source: PacketEndpoint;
  readonly target: PacketEndpoint;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

const TCP_BYTES = 20;
const WINDOW = 65_535;
const HOPS = 64;

/** The most payload that fits into a packet, whose length has 16 bits. */
export const MAX_PAYLOAD_BYTES = 65_535 - 20 - TCP_BYTES;

/** The size of the packet of a segment, from the IP header on. */
export function packetBytes({ source, payload }: OutgoingSegment): number {
  return ipBytes(source) + TCP_BYTES + payload.length;
}

function ipBytes({ host }: PacketEndpoint): number {
  return host.length === 4 ? 20 : 40;
}

/**
 * Writes a segment as an IP packet, with checksums.
 *
 * @param at A multiple of four, counted from the beginning of `bytes.buffer`.
 */
export function writePacket(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  segment: OutgoingSegment,
): void {
  const { source, target, payload } = segment;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tcp = at + ipBytes(source);
  const tcpBytes = TCP_BYTES + payload.length;
  bytes.fill(0, at, tcp + TCP_BYTES);
  if (source.host.length === 4) writeIpv4(bytes, view, at, segment, tcpBytes);
  else writeIpv6(bytes, view, at, segment, tcpBytes);
  view.setUint16(tcp, source.port);
  view.setUint16(tcp + 2, target.port);
  view.setUint32(tcp + 4, segment.sequence);
  const isAnswer = (segment.flags & FLAG.ack) !== 0;
  view.setUint32(tcp + 8, isAnswer ? segment.acknowledged : 0);
  view.setUint8(tcp + 12, TCP_BYTES / 4 << 4);
  view.setUint8(tcp + 13, segment.flags);
  view.setUint16(tcp + 14, WINDOW);
  bytes.set(payload, tcp + TCP_BYTES);
  const pseudo = sumOf(source.host) + sumOf(target.host) + 6 + tcpBytes;
  view.setUint16(tcp + 16, checksum(pseudo + sumAt(bytes, tcp, tcpBytes)));
}

function writeIpv4(
  bytes: Uint8Array<ArrayBuffer>,
  view: DataView,
  at: number,
  { source, target }: OutgoingSegment,
  tcpBytes: number,
): void {
  view.setUint8(at, 0x45);
  view.setUint16(at + 2, 20 + tcpBytes);
  view.setUint16(at + 6, 0x4000); // Not to be cut up.
  view.setUint8(at + 8, HOPS);
  view.setUint8(at + 9, 6);
  bytes.set(source.host, at + 12);
  bytes.set(target.host, at + 16);
  view.setUint16(at + 10, checksum(sumAt(bytes, at, 20)));
}

function writeIpv6(
  bytes: Uint8Array<ArrayBuffer>,
  view: DataView,
  at: number,
  { source, target }: OutgoingSegment,
  tcpBytes: number,
): void {
  view.setUint8(at, 0x60);
  view.setUint16(at + 4, tcpBytes);
  view.setUint8(at + 6, 6);
  view.setUint8(at + 7, HOPS);
  bytes.set(source.host, at + 8);
  bytes.set(target.host, at + 24);
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The sum of the 16-bit words of bytes, in network order. Words of 32 bits in the machine's order
 * have the same sum once it is folded: with the bytes of each half swapped.
 */
function sumAt(bytes: Uint8Array<ArrayBuffer>, at: number, count: number): number {
  const start = bytes.byteOffset + at;
  const words = new Uint32Array(bytes.buffer, start, count >> 2);
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum += words[i]!;
  let folded = fold(sum);
  if (LITTLE_ENDIAN) folded = ((folded & 0xff) << 8) | (folded >> 8);
  for (let rest = count & ~3; rest < count; rest++) {
    folded += bytes[at + rest]! << (rest % 2 === 0 ? 8 : 0);
  }
  return folded;
}

function sumOf(host: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < host.length; i += 2) sum += (host[i]! << 8) | host[i + 1]!;
  return sum;
}

/** Adds the carries of a sum of words until it has 16 bits. */
function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = Math.floor(folded / 65_536) + folded % 65_536;
  return folded;
}

function checksum(sum: number): number {
  return ~fold(sum) & 0xffff;
}
