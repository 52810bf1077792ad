import { Budget } from "../../base/budget.ts";
import { ByteBuffer } from "../../base/byte_buffer.ts";
import {
  type Frame,
  type FrameBatch,
  FrameDecoder,
  FrameError,
  type FrameHeader,
  HeaderCache,
} from "../../frame/mod.ts";
import { truncated } from "../../frame/frame_error.ts";
import { findFrame } from "./find_frame.ts";

/** A frame that was seen. */
export interface SeenFrame {
  /** Its header. */
  readonly header: FrameHeader;
  /** The first bytes of its content, up to the scanner's limit: a view, valid until this returns. */
  readonly content: Uint8Array;
  /** Whether `content` is all of it. */
  readonly isWhole: boolean;
  /** Bytes of its content that the capture does not have. */
  readonly missingBytes: number;
  /** Its size with length and header. */
  readonly bytes: number;
  /** Where it begins in its stream, in bytes from the first that was seen. */
  readonly offset: number;
  /** When its first bytes came, in microseconds since 1970. */
  readonly beganUs: number;
  /** When its last bytes came. */
  readonly timeUs: number;
}

/** Why bytes were skipped. */
export type SkipReason = "began in the middle" | "after a gap" | "after a broken frame";

/** Takes what a scanner finds, in the stream's order. */
export interface ScannerSink {
  frame(frame: SeenFrame): void;
  /** A broken frame begins at this offset. */
  broken(error: FrameError, offset: number, timeUs: number): void;
  /** No frame was found in these bytes. */
  skipped(count: number, offset: number, reason: SkipReason, timeUs: number): void;
}

/** What all streams together hold of frames that are not complete. */
const MAX_HELD_BYTES = 25_165_824;

/** What the scanners of many streams have in common. */
export class ScannerCommons {
  /** How much of a content is kept for its view, in bytes. */
  readonly keptBytes: number;
  /** What all scanners together may hold of contents and headers that are not complete. */
  readonly memory = new Budget("unfinished frames", MAX_HELD_BYTES);
  readonly #headerCache = new HeaderCache();
  #decoder = this.#newDecoder();

  /** @param keptBytes How much of a content is kept for its view. */
  constructor(keptBytes: number) {
    this.keptBytes = keptBytes;
  }

  /**
   * Decodes bytes that begin with a frame. One decoder does for all streams, because it is inside no
   * content afterwards: what is left of one is for the caller to count.
   */
  decode(bytes: Uint8Array): FrameBatch {
    const decoder = this.#decoder;
    const batch = decoder.decode(bytes);
    if (batch.error) this.#decoder = this.#newDecoder();
    else decoder.passContent(decoder.contentLeft);
    return batch;
  }

  /** The error of a stream that ends with these bytes of a frame's head. */
  truncated(head: Uint8Array): FrameError | undefined {
    this.#decoder.decode(head);
    return this.#decoder.end();
  }

  #newDecoder(): FrameDecoder {
    return new FrameDecoder({
      maxContentBytes: Infinity,
      streamAbove: 0,
      headerCache: this.#headerCache,
    });
  }
}

/** Where memory is short, a header that is not complete is given up if it takes more bytes than this. */
const LITTLE_BYTES = 512;

/** What a buffer takes besides its bytes. */
const BUFFER_BYTES = 256;

/** Takes the place of what was kept of a content, where there is no memory for it. */
const NOTHING_KEPT = new ByteBuffer(0);

/**
 * Finds the frames of one direction of a connection, also where some of its bytes are missing. It
 * holds a header and the first bytes of a content at most.
 *
 * After a broken frame, or a gap that is not inside a content, it looks for the next plausible frame.
 * A gap inside a content is counted, and the frame behind it is found by the content's length.
 */
export class FrameScanner {
  readonly #sink: ScannerSink;
  readonly #commons: ScannerCommons;
  /** Where the next byte stands in the stream. */
  #offset = 0;
  /** Why a frame is searched for, while that is so. */
  #searching: SkipReason | undefined;
  /** While searching, the bytes that may begin a frame; else those of an unfinished head. */
  #held: ByteBuffer | undefined;
  #skippedBytes = 0;
  /** Where the frame that is being read began, and when. */
  #frameOffset = 0;
  #beganUs = 0;
  /** Of the frame whose content comes in parts: its first bytes, what is left, and what is missing. */
  #kept: ByteBuffer | undefined;
  #contentLeft = 0;
  #missingBytes = 0;
  #header: FrameHeader | undefined;
  #headBytes = 0;
  /** What it holds, as far as that was counted. */
  #countedBytes = 0;

  /**
   * Makes the scanner of a stream.
   *
   * @param fromStart Whether the stream's first byte begins a frame for sure.
   */
  constructor(sink: ScannerSink, commons: ScannerCommons, fromStart: boolean) {
    this.#sink = sink;
    this.#commons = commons;
    if (!fromStart) this.#searching = "began in the middle";
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array, timeUs: number): void {
    let rest: Uint8Array | undefined = bytes;
    while (rest !== undefined && rest.length > 0) {
      if (this.#searching) rest = this.#search(rest, timeUs);
      else if (this.#contentLeft > 0) rest = this.#passContent(rest, timeUs);
      else if (this.#held) rest = this.#completeHead(this.#held, rest, timeUs);
      else rest = this.#decode(rest, timeUs);
    }
    this.#count();
    if (this.#commons.memory.isOver && this.#countedBytes > 0) this.#shed(timeUs);
  }

  /** Notes that bytes are missing here. */
  gap(count: number, timeUs: number): void {
    if (!this.#searching && this.#contentLeft >= count) {
      this.#contentLeft -= count;
      this.#missingBytes += count;
      this.#offset += count;
      if (this.#contentLeft === 0) this.#finishParts(timeUs);
      return;
    }
    this.#stop(timeUs);
    this.#offset += count;
    this.#searching = "after a gap";
    this.#count();
  }

  /** Notes the end of the stream. */
  end(timeUs: number): void {
    this.#stop(timeUs);
    this.#count();
  }

  /** What follows is not there: tells what was not complete. */
  #stop(timeUs: number): void {
    if (this.#searching) this.#skippedBytes += this.#held?.length ?? 0;
    else if (this.#contentLeft > 0) {
      const expected = this.#header!["content-length"];
      const error = truncated("content", expected - this.#contentLeft, expected);
      this.#sink.broken(error, this.#frameOffset, timeUs);
    } else if (this.#held) {
      const error = this.#commons.truncated(this.#held.view())!;
      this.#sink.broken(error, this.#frameOffset, timeUs);
    }
    this.#tellSkipped(timeUs);
    this.#held = undefined;
    this.#kept = undefined;
    this.#contentLeft = 0;
    this.#missingBytes = 0;
  }

  /** Counts what it holds. */
  #count(): void {
    let bytes = 0;
    if (this.#held) bytes += this.#held.bytes.length + BUFFER_BYTES;
    if (this.#kept && this.#kept !== NOTHING_KEPT) bytes += this.#kept.bytes.length + BUFFER_BYTES;
    if (bytes > this.#countedBytes) this.#commons.memory.take(bytes - this.#countedBytes);
    else this.#commons.memory.give(this.#countedBytes - bytes);
    this.#countedBytes = bytes;
  }

  /** Gives up what it holds: all scanners together hold too much. */
  #shed(timeUs: number): void {
    if (this.#kept) this.#kept = NOTHING_KEPT;
    else if (this.#held!.bytes.length <= LITTLE_BYTES) return;
    else {
      this.#skippedBytes += this.#held!.length;
      if (!this.#searching) {
        const message = "There is no memory left for its header";
        this.#sink.broken(new FrameError("frame-too-large", message), this.#frameOffset, timeUs);
        this.#searching = "after a broken frame";
      }
      this.#held = undefined;
    }
    this.#count();
  }

  /** Decodes bytes that begin with a frame. @returns those in which to search, after a broken one. */
  #decode(bytes: Uint8Array, timeUs: number): Uint8Array | undefined {
    this.#begin(this.#offset, timeUs);
    const { frames, consumed, error } = this.#commons.decode(bytes);
    for (const frame of frames) this.#take(frame, timeUs);
    this.#offset += consumed;
    const rest = bytes.subarray(consumed);
    if (error === undefined && rest.length === 0) return undefined;
    const problem = error ?? headProblem(rest);
    if (problem !== undefined) return this.#broken(problem, rest, timeUs);
    this.#hold(rest);
    this.#offset += rest.length;
    return undefined;
  }

  /** Adds bytes to a head that has begun. @returns those behind it, or in which to search. */
  #completeHead(held: ByteBuffer, bytes: Uint8Array, timeUs: number): Uint8Array {
    const needed = held.length < 2 ? 2 : 2 + ((held.bytes[0]! << 8) | held.bytes[1]!);
    const taken = bytes.subarray(0, needed - held.length);
    const rest = bytes.subarray(taken.length);
    held.append(taken);
    this.#offset += taken.length;
    const { frames, error } = this.#commons.decode(held.view());
    const problem = error ?? (frames.length > 0 ? undefined : headProblem(held.view()));
    if (problem !== undefined) {
      held.append(rest);
      return this.#broken(problem, held.view(), timeUs);
    }
    if (frames.length === 0) return rest;
    this.#held = undefined;
    // Behind its head, the frame's content is not there yet.
    this.#take(frames[0]!, timeUs);
    return rest;
  }

  /** @param bytes They begin with the broken frame. @returns those in which to search for another. */
  #broken(problem: FrameError, bytes: Uint8Array, timeUs: number): Uint8Array {
    this.#sink.broken(problem, this.#frameOffset, timeUs);
    this.#held = undefined;
    this.#searching = "after a broken frame";
    // The broken frame's first byte cannot begin another one.
    this.#skippedBytes = 1;
    this.#offset = this.#frameOffset + 1;
    return bytes.subarray(1);
  }

  #begin(offset: number, timeUs: number): void {
    this.#frameOffset = offset;
    this.#beganUs = timeUs;
  }

  #hold(bytes: Uint8Array): void {
    this.#held = new ByteBuffer(bytes.length);
    this.#held.append(bytes);
  }

  /** Takes a frame, or the first part of one, that ends the bytes decoded so far. */
  #take(frame: Frame, timeUs: number): void {
    const { header, content } = frame;
    this.#headBytes = frame.contentStart - frame.start;
    if (frame.complete) {
      return this.#tell(header, content.subarray(0, this.#commons.keptBytes), timeUs);
    }
    this.#header = header;
    this.#contentLeft = header["content-length"] - content.length;
    this.#kept = new ByteBuffer(Math.min(content.length, this.#commons.keptBytes));
    this.#keep(content);
  }

  /** Takes the next part of a content. @returns the bytes behind it. */
  #passContent(bytes: Uint8Array, timeUs: number): Uint8Array {
    const part = bytes.subarray(0, this.#contentLeft);
    this.#keep(part);
    this.#offset += part.length;
    this.#contentLeft -= part.length;
    if (this.#contentLeft === 0) this.#finishParts(timeUs);
    return bytes.subarray(part.length);
  }

  #keep(content: Uint8Array): void {
    const kept = this.#kept!;
    const room = this.#commons.keptBytes - kept.length;
    // What stands behind a gap does not follow on what was kept.
    if (room <= 0 || this.#missingBytes > 0 || kept === NOTHING_KEPT) return;
    kept.append(content.subarray(0, room));
  }

  #finishParts(timeUs: number): void {
    const kept = this.#kept!.view();
    this.#kept = undefined;
    this.#tell(this.#header!, kept, timeUs);
  }

  #tell(header: FrameHeader, content: Uint8Array, timeUs: number): void {
    const contentBytes = header["content-length"];
    const bytes = this.#headBytes + contentBytes;
    const missingBytes = this.#missingBytes;
    this.#missingBytes = 0;
    this.#header = undefined;
    this.#sink.frame({
      header,
      content,
      isWhole: content.length === contentBytes,
      missingBytes,
      bytes,
      offset: this.#frameOffset,
      beganUs: this.#beganUs,
      timeUs,
    });
    this.#begin(this.#frameOffset + bytes, timeUs);
  }

  /** Searches in bytes. @returns those that begin with a frame, if one was found. */
  #search(bytes: Uint8Array, timeUs: number): Uint8Array | undefined {
    const held = this.#held;
    held?.append(bytes);
    const view = held?.view() ?? bytes;
    this.#offset += bytes.length;
    const { at, isWhole } = findFrame(view);
    this.#skippedBytes += at;
    const rest = view.subarray(at);
    if (isWhole) {
      this.#held = undefined;
      this.#offset -= rest.length;
      this.#tellSkipped(timeUs);
      this.#searching = undefined;
      return rest;
    }
    if (rest.length === 0) this.#held = undefined;
    else if (!held || at > 0) this.#hold(rest);
    return undefined;
  }

  #tellSkipped(timeUs: number): void {
    const count = this.#skippedBytes;
    this.#skippedBytes = 0;
    if (count === 0 || !this.#searching) return;
    this.#sink.skipped(count, this.#offset - count, this.#searching, timeUs);
  }
}

/** What is wrong for sure with a head that has begun: the decoder waits until it is whole. */
function headProblem(bytes: Uint8Array): FrameError | undefined {
  if (bytes.length < 3 || HEADER_STARTS.includes(bytes[2]!)) return undefined;
  return new FrameError("header-syntax", "The header is not a JSON object");
}

/** A brace, or white space before it. */
const HEADER_STARTS: readonly number[] = [0x7b, 0x20, 0x09, 0x0a, 0x0d];
