/**
 * Reads messages of one size that another gateway has sent, as they stand behind each other, and
 * writes the frames for them. The hot path of a gateway that receives.
 *
 * @module
 */
import type { ByteBuffer } from "../../../frame/mod.ts";
import { copyContents, digitsOf, END_BYTES, SMALL_BYTES } from "./message_block.ts";
import type { NatsMessage } from "./wire/nats_message.ts";

const ZERO = 0x30;
/** Two line ends, and one, as numbers with the low byte first. */
const TWO_LINE_ENDS = 0x0a0d0a0d;
const LINE_END = 0x0a0d;
const WORD_BYTES = 8;

/**
 * Counts the whole messages that follow this one and differ from it only in their contents, and in the
 * count at the end of their headers, which each raises by one.
 *
 * @param count That of the message; its headers end with it.
 * @param max The most that are counted.
 */
export function countFollowing(message: NatsMessage, count: number, max: number): number {
  const { bytes, view } = message;
  // `| 0` makes integers of them: V8 may keep an object's fields as floating-point numbers, and with
  // such indices a message takes 60 ns instead of 20.
  const start = message.start | 0;
  const dataStart = message.dataStart | 0;
  const limit = message.limit | 0;
  const size = (message.end | 0) + 2 - start;
  const digits = digitsOf(count);
  // What is before the digits has eight bytes and more: it begins with `HMSG`.
  const lastWord = dataStart - END_BYTES - digits - WORD_BYTES - start;
  let found = 0;
  for (let at = start + size; found < max && at + size <= limit; at += size) {
    const stop = at + lastWord;
    let i = at;
    for (; i < stop; i += WORD_BYTES) if (differ(view, i, i - size)) return found;
    if (differ(view, stop, stop - size)) return found;
    let next = 0;
    const digitsEnd = stop + WORD_BYTES + digits;
    for (i = stop + WORD_BYTES; i < digitsEnd; i++) {
      const digit = bytes[i]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return found;
      next = next * 10 + digit;
    }
    if (next !== count + found + 1 || view.getInt32(i, true) !== TWO_LINE_ENDS) return found;
    if (view.getUint16(at + size - 2, true) !== LINE_END) return found;
    found++;
  }
  return found;
}

/** Whether eight bytes differ from others. Those that are a NaN count as different. */
function differ(view: DataView, at: number, other: number): boolean {
  return view.getFloat64(at, true) !== view.getFloat64(other, true);
}

/**
 * Appends a frame for each of the messages behind one, whose own frame was appended last.
 *
 * @param frameBytes The size of that frame.
 * @param many How many messages.
 */
export function writeFollowing(
  buffer: ByteBuffer,
  frameBytes: number,
  message: NatsMessage,
  many: number,
): void {
  const { bytes: source, start, dataStart, end } = message;
  const size = end + 2 - start;
  const length = end - dataStart;
  const block = many * frameBytes;
  buffer.reserve(block);
  const { bytes } = buffer;
  const from = buffer.length - frameBytes;
  const until = buffer.length += block;
  const head = frameBytes - length;
  if (length <= SMALL_BYTES) {
    for (let done = frameBytes; done < block + frameBytes; done *= 2) {
      bytes.copyWithin(from + done, from, Math.min(from + done, until - done));
    }
    copyContents(
      bytes,
      from + frameBytes + head,
      frameBytes,
      message.view,
      dataStart + size,
      size,
      length,
      many,
    );
    return;
  }
  for (let i = 1; i <= many; i++) {
    const at = from + i * frameBytes;
    bytes.copyWithin(at, from, from + head);
    const data = dataStart + i * size;
    bytes.set(source.subarray(data, data + length), at + head);
  }
}
