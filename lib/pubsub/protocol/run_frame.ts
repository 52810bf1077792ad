/**
 * Many messages of a stream in one frame, which the broker sends to those who ask for it. The content
 * holds the size of each message's frame, as a number of 4 bytes, and behind these the frames as they
 * were published. The numbers of the messages and of their deliveries count up from those in the header.
 *
 * @module
 */
import type { ByteBuffer } from "../../base/byte_buffer.ts";
import type { Frame } from "../../frame/frame.ts";
import { HOST_BYTE_ORDER } from "../../frame/numbers.ts";
import { writeFrameHead } from "../../frame/frame_encoder.ts";
import { isWholeNumber } from "./whole_number.ts";

/** The op of such a frame. */
export const RUN_OP = "run";

/** Its content is never larger, in bytes: who takes less gets no runs. */
export const MAX_RUN_BYTES = 262_144;

/** The size of a message takes this many bytes. */
const SIZE_BYTES = 4;

/** What the first message of a run is, and what all have in common. */
export interface RunPlace {
  /** The number that the client picked for what it reads. */
  readonly sid: number;
  readonly stream: string;
  /** Where it is delivered to a consumer, its name; else `undefined`. */
  readonly consumer?: string | undefined;
  /** The number of the first message. */
  readonly seq: number;
  /** When all were stored, in milliseconds since 1970. */
  readonly time: number;
  /** The number of the first delivery. */
  readonly delivery?: number | undefined;
  /** Which delivery of these messages it is. */
  readonly attempt?: number | undefined;
}

/** Frames that lie one behind the other. */
export interface FramesInRow {
  readonly bytes: Uint8Array;
  /** Where each ends. */
  readonly ends: ArrayLike<number>;
}

/** Appends a run of the frames from the index `first` to before `last`. */
export function writeRun(
  buffer: ByteBuffer,
  place: RunPlace,
  { bytes, ends }: FramesInRow,
  first: number,
  last: number,
): void {
  const count = last - first;
  let start = first === 0 ? 0 : ends[first - 1]!;
  const frames = bytes.subarray(start, ends[last - 1]!);
  const size = count * SIZE_BYTES + frames.length;
  writeFrameHead(buffer, { op: RUN_OP, ...place, count }, size);
  buffer.reserve(size);
  const { bytes: target, length } = buffer;
  const sizes = new DataView(target.buffer, target.byteOffset + length, count * SIZE_BYTES);
  const isLittle = HOST_BYTE_ORDER === "little";
  for (let i = 0; i < count; i++) {
    const end = ends[first + i]!;
    sizes.setUint32(i * SIZE_BYTES, end - start, isLittle);
    start = end;
  }
  buffer.length += count * SIZE_BYTES;
  buffer.append(frames);
}

/**
 * Where the frames of a run end in its buffer; `undefined` if it is not as {@linkcode writeRun} writes it.
 */
export function runEnds(
  run: Frame,
): { readonly start: number; readonly ends: number[] } | undefined {
  const { header, buffer, contentStart, end, littleEndian } = run;
  const { count } = header;
  if (!isWholeNumber(count) || end - contentStart > MAX_RUN_BYTES) return undefined;
  const start = contentStart + count * SIZE_BYTES;
  if (start > end) return undefined;
  const sizes = new DataView(buffer.buffer, buffer.byteOffset + contentStart, start - contentStart);
  const ends: number[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const size = sizes.getUint32(i * SIZE_BYTES, littleEndian);
    // A frame has two bytes and a header, which are within it.
    if (size < 4 || at + size > end) return undefined;
    if (2 + ((buffer[at]! << 8) | buffer[at + 1]!) > size) return undefined;
    ends.push(at += size);
  }
  return at === end ? { start, ends } : undefined;
}
