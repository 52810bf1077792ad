import type { CapturedPacket } from "../file/packet.ts";
import { ipStart } from "./link_layer.ts";

/** Flags of TCP. */
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** A segment of TCP. The reader of packets uses one object for all of them. */
export interface TcpSegment {
  /** Names the sender's address and port: equal for equal ones, and different for others. */
  source: string;
  /** The same of the receiver. */
  target: string;
  sequence: number;
  acknowledged: number;
  flags: number;
  /** A view of the packet. */
  payload: Uint8Array;
  /** Bytes at the end of the payload that were not captured. */
  cutBytes: number;
}

/** Why a packet has no segment that could be read. */
export type NoSegment = "other" | "fragment" | "cut";

const TCP = 6;
/** Headers that may stand between that of IPv6 and that of TCP: options, routing. */
const SKIPPED_HEADERS: readonly number[] = [0, 43, 60, 135];
const FRAGMENT_HEADER = 44;
const NOTHING = new Uint8Array(0);

/** Makes a segment to be filled in. */
export function newSegment(): TcpSegment {
  return {
    source: "",
    target: "",
    sequence: 0,
    acknowledged: 0,
    flags: 0,
    payload: NOTHING,
    cutBytes: 0,
  };
}

/**
 * Reads the TCP segment of a packet. Checksums are not looked at: a machine that leaves them to its
 * network card captures its own packets without.
 *
 * @param into Is filled in.
 * @returns `undefined`, or why there is none: it is of another protocol, a fragment of an IP packet,
 * or cut off within its headers.
 */
export function readSegment(packet: CapturedPacket, into: TcpSegment): NoSegment | undefined {
  const { data } = packet;
  const start = ipStart(packet.linkType, data);
  if (start < 0) return "other";
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const version = start < data.length ? data[start]! >> 4 : 0;
  if (version === 4) return readIpv4(packet, view, start, into);
  if (version === 6) return readIpv6(packet, view, start, into);
  return "other";
}

function readIpv4(
  { data, originalBytes }: CapturedPacket,
  view: DataView,
  start: number,
  into: TcpSegment,
): NoSegment | undefined {
  if (start + 20 > data.length) return "cut";
  if (data[start + 9] !== TCP) return "other";
  // A fragment: more follow, or it is not the first.
  if ((view.getUint16(start + 6) & 0x3fff) !== 0) return "fragment";
  const headerBytes = (data[start]! & 15) * 4;
  if (headerBytes < 20) return "other";
  const total = view.getUint16(start + 2);
  // A packet that the network card is to cut up may say 0.
  const end = total === 0 ? originalBytes : start + total;
  const hosts = [view.getUint32(start + 12), view.getUint32(start + 16)].map(ipv4Text);
  return readTcp(data, view, start + headerBytes, end, hosts as [string, string], into);
}

function readIpv6(
  { data, originalBytes }: CapturedPacket,
  view: DataView,
  start: number,
  into: TcpSegment,
): NoSegment | undefined {
  if (start + 40 > data.length) return "cut";
  const payloadBytes = view.getUint16(start + 4);
  const end = payloadBytes === 0 ? originalBytes : start + 40 + payloadBytes;
  let next = data[start + 6]!;
  let at = start + 40;
  while (next !== TCP) {
    if (at + 8 > data.length) return SKIPPED_HEADERS.includes(next) ? "cut" : "other";
    if (next === FRAGMENT_HEADER) {
      // A single fragment is a whole packet.
      if ((view.getUint16(at + 2) & 0xfff9) !== 0) return "fragment";
      next = data[at]!;
      at += 8;
    } else if (SKIPPED_HEADERS.includes(next)) {
      next = data[at]!;
      at += 8 + data[at + 1]! * 8;
    } else return "other";
  }
  const hosts: [string, string] = [ipv6Text(view, start + 8), ipv6Text(view, start + 24)];
  return readTcp(data, view, at, end, hosts, into);
}

function readTcp(
  data: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  [source, target]: readonly [string, string],
  into: TcpSegment,
): NoSegment | undefined {
  if (start + 20 > data.length) return "cut";
  const headerBytes = (data[start + 12]! >> 4) * 4;
  if (headerBytes < 20) return "other";
  const payloadStart = start + headerBytes;
  if (payloadStart > end) return "other";
  into.source = `${source}:${view.getUint16(start)}`;
  into.target = `${target}:${view.getUint16(start + 2)}`;
  into.sequence = view.getUint32(start + 4);
  into.acknowledged = view.getUint32(start + 8);
  into.flags = data[start + 13]!;
  // What stands behind the IP packet fills up a short Ethernet frame.
  const captured = Math.min(end, data.length);
  into.payload = payloadStart < captured ? data.subarray(payloadStart, captured) : NOTHING;
  into.cutBytes = end - payloadStart - into.payload.length;
  return undefined;
}

function ipv4Text(host: number): string {
  return `${host >>> 24}.${(host >>> 16) & 255}.${(host >>> 8) & 255}.${host & 255}`;
}

/** Brackets around it, as an address has. The longest run of zeros is left out. */
function ipv6Text(view: DataView, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(at + i * 2).toString(16));
  const text = groups.join(":");
  let longest: RegExpExecArray | undefined;
  for (const run of text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)) {
    if (run[0].length > (longest?.[0].length ?? 0)) longest = run;
  }
  if (longest === undefined) return `[${text}]`;
  const head = text.slice(0, longest.index).replace(/:$/, "");
  const tail = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `[${head}::${tail}]`;
}
