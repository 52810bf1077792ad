import { ByteBuffer } from "../../base/byte_buffer.ts";

/** The size of a new buffer in bytes. */
const FIRST_BYTES = 1_024;

/** Buffers up to this size are kept as small ones. */
const SMALL_BYTES = 16_384;

/**
 * The size of the largest buffer that is kept, and of all that are kept together. A client that
 * publishes 1,000 × 1 KiB in one turn gathers more than 1 MiB, and does so at half the rate if the
 * memory has to be made each time.
 */
const LARGEST_BYTES = 2_097_152;
const MAX_KEPT_BYTES = 16_777_216;

/**
 * Buffers that are not in use, for the next connection that sends: an idle connection has none.
 * Without them a fifth of the time went into making new memory where a publication of 1 KiB goes to
 * ten subscribers.
 */
const small: ByteBuffer[] = [];
const large: ByteBuffer[] = [];
let keptBytes = 0;

/** Takes an empty buffer. @param much Whether a large one is likely to be needed. */
export function takeBuffer(much: boolean): ByteBuffer {
  const buffer = (much ? large.pop() : undefined) ?? small.pop();
  if (!buffer) return new ByteBuffer(FIRST_BYTES);
  keptBytes -= buffer.bytes.length;
  return buffer;
}

/** Gives a buffer back. The caller must not use it after that. */
export function giveBuffer(buffer: ByteBuffer): void {
  const size = buffer.bytes.length;
  if (size > LARGEST_BYTES || keptBytes + size > MAX_KEPT_BYTES) return;
  buffer.clear();
  (size > SMALL_BYTES ? large : small).push(buffer);
  keptBytes += size;
}
