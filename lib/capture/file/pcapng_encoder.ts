import type { ByteBuffer } from "../../base/byte_buffer.ts";
import { LINK } from "./packet.ts";
import { BLOCK, BLOCK_FRAME_BYTES, BYTE_ORDER_MAGIC, OPTION, padded } from "./pcapng.ts";

const encoder = new TextEncoder();

/** Bytes of a packet block before the packet. */
export const PACKET_HEAD_BYTES = 28;

/** What the head of a recording says. */
export interface RecordingHead {
  /** The program and its version. */
  readonly application: string;
  /** What is recorded, such as `broker on 127.0.0.1:5635`. */
  readonly description: string;
}

/**
 * Appends the head of a file: a section in little-endian order, and one interface of raw IP packets
 * with timestamps in microseconds.
 */
export function appendHead(buffer: ByteBuffer, { application, description }: RecordingHead): void {
  appendBlock(
    buffer,
    BLOCK.section,
    (view, at) => {
      view.setUint32(at, BYTE_ORDER_MAGIC, true);
      view.setUint16(at + 4, 1, true); // Version 1.0.
      view.setUint16(at + 6, 0, true);
      view.setBigInt64(at + 8, -1n, true); // The section's length is not known yet.
    },
    16,
    [[OPTION.application, encoder.encode(application)]],
  );
  appendBlock(
    buffer,
    BLOCK.interface,
    (view, at) => {
      view.setUint16(at, LINK.raw, true);
      view.setUint16(at + 2, 0, true);
      view.setUint32(at + 4, 0, true); // No limit of a packet's size.
    },
    8,
    [[OPTION.description, encoder.encode(description)]],
  );
}

type Options = readonly (readonly [code: number, value: Uint8Array])[];

function appendBlock(
  buffer: ByteBuffer,
  type: number,
  write: (view: DataView, at: number) => void,
  bodyBytes: number,
  options: Options,
): void {
  const size = BLOCK_FRAME_BYTES + bodyBytes + optionBytes(options);
  const { view, at } = begin(buffer, type, size);
  write(view, at + 8);
  writeOptions(buffer.bytes, view, at + 8 + bodyBytes, options);
  buffer.length += size;
}

/**
 * Appends a packet block around a packet that `write` fills in.
 *
 * @param comment A comment on the packet, which Wireshark shows.
 * @param write Writes the packet's bytes at a place in `buffer.bytes` that is a multiple of four.
 */
export function appendPacket(
  buffer: ByteBuffer,
  timeUs: number,
  packetBytes: number,
  write: (bytes: Uint8Array<ArrayBuffer>, at: number) => void,
  comment?: string,
): void {
  const options: Options = comment === undefined ? [] : [[OPTION.comment, encoder.encode(comment)]];
  const size = BLOCK_FRAME_BYTES + 20 + padded(packetBytes) + optionBytes(options);
  const { view, at } = begin(buffer, BLOCK.packet, size);
  view.setUint32(at + 8, 0, true); // The interface.
  view.setUint32(at + 12, Math.floor(timeUs / 2 ** 32), true);
  view.setUint32(at + 16, timeUs >>> 0, true);
  view.setUint32(at + 20, packetBytes, true);
  view.setUint32(at + 24, packetBytes, true);
  const start = at + PACKET_HEAD_BYTES;
  write(buffer.bytes, start);
  buffer.bytes.fill(0, start + packetBytes, start + padded(packetBytes));
  writeOptions(buffer.bytes, view, start + padded(packetBytes), options);
  buffer.length += size;
}

function begin(buffer: ByteBuffer, type: number, size: number): { view: DataView; at: number } {
  buffer.reserve(size);
  const at = buffer.length;
  const view = new DataView(buffer.bytes.buffer, buffer.bytes.byteOffset);
  view.setUint32(at, type, true);
  view.setUint32(at + 4, size, true);
  view.setUint32(at + size - 4, size, true);
  return { view, at };
}

function optionBytes(options: Options): number {
  if (options.length === 0) return 0;
  return options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 4);
}

function writeOptions(bytes: Uint8Array, view: DataView, start: number, options: Options): void {
  if (options.length === 0) return;
  let at = start;
  for (const [code, value] of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    bytes.fill(0, at + 4 + value.length, at + 4 + padded(value.length));
    at += 4 + padded(value.length);
  }
  view.setUint32(at, OPTION.end, true);
}
