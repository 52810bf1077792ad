import type { ByteBuffer } from "../../../base/byte_buffer.ts";

const CLOSING_BRACE = 0x7d;

/** Where a frame and its parts are: `buffer[start, end)`, its content from `contentStart` on. */
export interface FrameSpan {
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
}

/**
 * Appends a frame to a buffer with further fields at the end of its header.
 *
 * @param tail The fields as JSON, with a comma before and a brace behind: `,"seq":17}`. As text it
 * must be ASCII. The header must not grow beyond 65,535 bytes by it.
 */
export function writeExtended(
  buffer: ByteBuffer,
  frame: FrameSpan,
  tail: string | Uint8Array,
): void {
  const { buffer: source, start, contentStart, end } = frame;
  let brace = contentStart - 1;
  while (source[brace] !== CLOSING_BRACE) brace--;
  const headerStart = start + 2;
  const headerBytes = brace - headerStart + tail.length;
  buffer.reserve(2 + headerBytes + end - contentStart);
  const { bytes } = buffer;
  let at = buffer.length;
  bytes[at++] = headerBytes >>> 8;
  bytes[at++] = headerBytes & 0xff;
  bytes.set(source.subarray(headerStart, brace), at);
  at += brace - headerStart;
  if (typeof tail === "string") {
    for (let i = 0; i < tail.length; i++) bytes[at + i] = tail.charCodeAt(i);
  } else bytes.set(tail, at);
  at += tail.length;
  bytes.set(source.subarray(contentStart, end), at);
  buffer.length = at + end - contentStart;
}
