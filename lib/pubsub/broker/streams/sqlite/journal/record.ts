/**
 * What a journal holds: runs of publications, one behind the other, each with what proves that it is
 * whole and in its place.
 *
 * @module
 */
import { checksumOf } from "../checksum.ts";

/** Consecutive messages of a stream that have one time. */
export interface JournalRun {
  /** The stream's number in the tables. */
  readonly stream: number;
  /** The number of the first message. */
  readonly first: number;
  /** How many there are. */
  readonly count: number;
  /** When they were stored, in milliseconds since 1970. */
  readonly time: number;
  /** The checksum of their frames. */
  readonly crc: number;
  readonly frames: Uint8Array;
}

/** Where a record lies, and in which journal. */
export interface RecordPlace {
  /** Tells the records of a journal from those that were there before it began again. */
  readonly salt: number;
  /** Where it begins in the file. */
  readonly at: number;
  /** Up to here the file was on the disk when it was written. */
  readonly synced: number;
}

/** A record that was read, and where it ends. */
export type JournalRecord = JournalRun & RecordPlace & { readonly end: number };

/** What stands before the frames. */
const HEAD_BYTES = 64;

/** Every record begins at a multiple of this. */
export const RECORD_ALIGNMENT = 8;

/** The size of a record with this many bytes of frames. */
export function recordBytes(frames: number): number {
  return HEAD_BYTES + Math.ceil(frames / RECORD_ALIGNMENT) * RECORD_ALIGNMENT;
}

/** Writes a record into an image of the file, in which there is room. @returns its frames there. */
export function writeRecord(image: Uint8Array, run: JournalRun, place: RecordPlace): Uint8Array {
  const { at } = place;
  const { length } = run.frames;
  const head = viewOf(image, at);
  const numbers = [place.salt, at, place.synced, run.stream, run.first, run.time];
  numbers.forEach((number, i) => head.setFloat64(8 * i, number, true));
  head.setUint32(48, run.count, true);
  head.setUint32(52, length, true);
  head.setUint32(56, run.crc, true);
  head.setUint32(60, checksumOf(image.subarray(at, at + 60)), true);
  image.set(run.frames, at + HEAD_BYTES);
  image.fill(0, at + HEAD_BYTES + length, at + recordBytes(length));
  return image.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
}

/** The record that begins at a place; `undefined` if there is none that is whole. */
export function readRecord(
  image: Uint8Array,
  at: number,
  salt: number,
): JournalRecord | undefined {
  if (at + HEAD_BYTES > image.length) return undefined;
  const head = viewOf(image, at);
  const number = (i: number) => head.getFloat64(8 * i, true);
  const length = head.getUint32(52, true);
  const end = at + recordBytes(length);
  if (number(0) !== salt || number(1) !== at || end > image.length) return undefined;
  if (checksumOf(image.subarray(at, at + 60)) !== head.getUint32(60, true)) return undefined;
  const frames = image.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  const crc = head.getUint32(56, true);
  if (checksumOf(frames) !== crc) return undefined;
  const [synced, stream, first, time] = [2, 3, 4, 5].map(number) as [
    number,
    number,
    number,
    number,
  ];
  return {
    salt,
    at,
    synced,
    stream,
    first,
    count: head.getUint32(48, true),
    time,
    crc,
    frames,
    end,
  };
}

function viewOf(image: Uint8Array, at: number): DataView {
  return new DataView(image.buffer, image.byteOffset + at, HEAD_BYTES);
}
