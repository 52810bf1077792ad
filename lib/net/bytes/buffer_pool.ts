import { ByteBuffer } from "../../base/byte_buffer.ts";

/** What a new buffer has room for. */
const FIRST_BYTES = 1_024;

/** Buffers up to this size are small; most messages fit into one. */
const SMALL_BYTES = 16_384;

/** The largest buffer that is kept, and what all that are kept may take. */
const LARGEST_BYTES = 524_288;
const MAX_KEPT_BYTES = 16_777_216;

/**
 * Buffers that nobody uses, for whichever connection sends next: an idle connection has none. To
 * take and clear fresh memory was a fifth of the time where a publication of 1 KiB goes to ten
 * subscribers.
 */
const small: ByteBuffer[] = [];
const large: ByteBuffer[] = [];
let keptBytes = 0;

/** An empty buffer. @param much Whether much is going to be written to it. */
export function takeBuffer(much: boolean): ByteBuffer {
  const buffer = (much ? large.pop() : undefined) ?? small.pop();
  if (!buffer) return new ByteBuffer(FIRST_BYTES);
  keptBytes -= buffer.bytes.length;
  return buffer;
}

/** Gives a buffer back, which the caller does not use any more. */
export function giveBuffer(buffer: ByteBuffer): void {
  const size = buffer.bytes.length;
  if (size > LARGEST_BYTES || keptBytes + size > MAX_KEPT_BYTES) return;
  buffer.clear();
  (size > SMALL_BYTES ? large : small).push(buffer);
  keptBytes += size;
}
