import type { Budget } from "../../base/budget.ts";
import { ByteBuffer } from "../../base/byte_buffer.ts";
import {
  ChunkDecoder,
  type Frame,
  FrameError,
  type FrameHeader,
  type HeaderCache,
} from "../../frame/mod.ts";
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

/** Options of a {@linkcode FrameScanner}. */
export interface FrameScannerOptions {
  /** How much of a content is kept for its view, in bytes. */
  readonly keptBytes: number;
  /** Whether the stream's first byte begins a frame for sure. */
  readonly fromStart: boolean;
  /** Headers that scanners share. */
  readonly headerCache: HeaderCache;
  /** What all scanners together may hold of contents and headers that are not complete. */
  readonly memory: Budget;
}

/** Who holds no more than this has nothing to give up. */
const LITTLE_BYTES = 4_096;

/** Memory up to this size stays for the next unfinished head. */
const KEPT_HELD_BYTES = 1_024;

/**
 * Finds the frames of one direction of a connection, also where some of its bytes are missing. It
 * holds a header and the first bytes of a content at most.
 *
 * After a broken frame, or a gap that is not inside a content, it looks for the next plausible frame.
 * A gap inside a content is counted, and the frame behind it is found by the content's length.
 */
export class FrameScanner {
  readonly #sink: ScannerSink;
  readonly #options: FrameScannerOptions;
  #decoder: ChunkDecoder;
  /** Where the next byte stands in the stream. */
  #offset = 0;
  /** Why a frame is searched for, while that is so. */
  #searching: SkipReason | undefined;
  /** While searching, the bytes that may begin a frame; else those of an unfinished head. */
  #held = new ByteBuffer(0);
  #skippedBytes = 0;
  /** Where the frame that is being read began, and when. */
  #frameOffset = 0;
  #beganUs = 0;
  /** Of the frame whose content comes in parts: its first bytes, and how many are missing. */
  #kept: ByteBuffer | undefined;
  #missingBytes = 0;
  /** Whether no more of this content is kept, because there is no memory left. */
  #keepsNoMore = false;
  /** What it holds, as far as that was counted. */
  #countedBytes = 0;
  #headBytes = 0;
  #header: FrameHeader | undefined;

  /** Makes the scanner of a stream. */
  constructor(sink: ScannerSink, options: FrameScannerOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#decoder = this.#newDecoder();
    if (!options.fromStart) this.#searching = "began in the middle";
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array, timeUs: number): void {
    let rest: Uint8Array | undefined = bytes;
    while (rest !== undefined) {
      rest = this.#searching ? this.#search(rest, timeUs) : this.#decode(rest, timeUs);
    }
    this.#count();
    if (this.#options.memory.isOver && this.#countedBytes > LITTLE_BYTES) this.#shed(timeUs);
  }

  /** Notes that bytes are missing here. */
  gap(count: number, timeUs: number): void {
    if (!this.#searching && this.#decoder.contentLeft >= count) {
      this.#decoder.passContent(count);
      this.#missingBytes += count;
      this.#offset += count;
      if (this.#decoder.contentLeft === 0) this.#finishParts(timeUs);
      return;
    }
    if (this.#searching) this.#skippedBytes += this.#held.length;
    else if (this.#decoder.midFrame) this.#endsInside(timeUs);
    this.#tellSkipped(timeUs);
    this.#offset += count;
    this.#beginSearch("after a gap");
    this.#count();
  }

  /** Notes the end of the stream. */
  end(timeUs: number): void {
    if (this.#searching) this.#skippedBytes += this.#held.length;
    else if (this.#decoder.midFrame) this.#endsInside(timeUs);
    this.#tellSkipped(timeUs);
    this.#held = new ByteBuffer(0);
    this.#kept = undefined;
    this.#count();
  }

  /** Counts what it holds; the decoder has a copy of a head. */
  #count(): void {
    const bytes = (this.#kept?.bytes.length ?? 0) + 2 * this.#held.bytes.length;
    if (bytes > this.#countedBytes) this.#options.memory.take(bytes - this.#countedBytes);
    else this.#options.memory.give(this.#countedBytes - bytes);
    this.#countedBytes = bytes;
  }

  /** Gives up what it holds: all scanners together hold too much. */
  #shed(timeUs: number): void {
    if (this.#kept) {
      this.#kept = new ByteBuffer(0);
      this.#keepsNoMore = true;
    } else {
      if (this.#searching) this.#skippedBytes += this.#held.length;
      else {
        const message = "There is no memory left for its header";
        this.#sink.broken(new FrameError("frame-too-large", message), this.#frameOffset, timeUs);
        this.#skippedBytes = this.#held.length;
        this.#searching = "after a broken frame";
      }
      this.#held = new ByteBuffer(0);
    }
    this.#count();
  }

  #newDecoder(): ChunkDecoder {
    const { headerCache } = this.#options;
    // Content comes in parts as it arrives, so that the decoder holds none of it.
    return new ChunkDecoder({ maxContentBytes: Infinity, streamAbove: 0, headerCache });
  }

  /** Decodes bytes. @returns those in which to search for a frame, after a broken one. */
  #decode(bytes: Uint8Array, timeUs: number): Uint8Array | undefined {
    const chunkStart = this.#offset;
    if (!this.#decoder.midFrame) this.#begin(chunkStart, timeUs);
    const { frames, error } = this.#decoder.push(bytes);
    this.#offset += bytes.length;
    for (const frame of frames) this.#take(frame, timeUs);
    if (frames.length > 0) this.#forgetHeld();
    const inHead = error !== undefined || (this.#decoder.midFrame && !this.#kept);
    if (!inHead) return undefined;
    this.#held.append(bytes.subarray(Math.max(0, this.#frameOffset - chunkStart)));
    const problem = error ?? headProblem(this.#held);
    if (problem === undefined) return undefined;
    this.#sink.broken(problem, this.#frameOffset, timeUs);
    // The broken frame's first byte cannot begin another one.
    const rest = this.#held.view().slice(1);
    this.#offset = this.#frameOffset + 1;
    this.#beginSearch("after a broken frame");
    this.#skippedBytes = 1;
    return rest;
  }

  #begin(offset: number, timeUs: number): void {
    this.#frameOffset = offset;
    this.#beganUs = timeUs;
  }

  /** Takes a frame, or a part of one, that ends the bytes decoded so far. */
  #take(frame: Frame, timeUs: number): void {
    const { header, content } = frame;
    if (this.#kept === undefined) {
      this.#header = header;
      this.#headBytes = frame.contentStart - frame.start;
      if (frame.complete) {
        const kept = content.subarray(0, this.#options.keptBytes);
        return this.#tell(header, kept, timeUs);
      }
      this.#kept = new ByteBuffer(Math.min(content.length, this.#options.keptBytes));
    }
    const room = this.#options.keptBytes - this.#kept.length;
    // What stands behind a gap does not follow on what was kept.
    const follows = this.#missingBytes === 0 && !this.#keepsNoMore;
    if (room > 0 && follows) this.#kept.append(content.subarray(0, room));
    if (frame.complete) this.#finishParts(timeUs);
  }

  #finishParts(timeUs: number): void {
    const kept = this.#kept!.view();
    this.#kept = undefined;
    this.#keepsNoMore = false;
    this.#tell(this.#header!, kept, timeUs);
  }

  #tell(header: FrameHeader, content: Uint8Array, timeUs: number): void {
    const contentBytes = header["content-length"];
    const bytes = this.#headBytes + contentBytes;
    const missingBytes = this.#missingBytes;
    this.#missingBytes = 0;
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

  /** The stream, or what is there of it, ends inside a frame. */
  #endsInside(timeUs: number): void {
    const error = this.#decoder.end();
    if (error) this.#sink.broken(error, this.#frameOffset, timeUs);
    this.#kept = undefined;
    this.#keepsNoMore = false;
    this.#missingBytes = 0;
  }

  #beginSearch(reason: SkipReason): void {
    this.#searching = reason;
    this.#kept = undefined;
    this.#missingBytes = 0;
    this.#forgetHeld();
  }

  /** Searches in bytes. @returns those that begin with a frame, if one was found. */
  #search(bytes: Uint8Array, timeUs: number): Uint8Array | undefined {
    const held = this.#held;
    const joined = held.length > 0;
    if (joined) held.append(bytes);
    const view = joined ? held.view() : bytes;
    this.#offset += bytes.length;
    const { at, isWhole } = findFrame(view);
    this.#skippedBytes += at;
    // A copy, because the rest may lie in the memory that is written to.
    const rest = joined || !isWhole ? view.slice(at) : view.subarray(at);
    this.#forgetHeld();
    if (!isWhole) {
      this.#held.append(rest);
      return undefined;
    }
    this.#offset -= rest.length;
    this.#tellSkipped(timeUs);
    this.#searching = undefined;
    this.#decoder = this.#newDecoder();
    return rest;
  }

  #forgetHeld(): void {
    if (this.#held.bytes.length > KEPT_HELD_BYTES) this.#held = new ByteBuffer(0);
    else this.#held.clear();
  }

  #tellSkipped(timeUs: number): void {
    const count = this.#skippedBytes;
    this.#skippedBytes = 0;
    if (count === 0 || !this.#searching) return;
    this.#sink.skipped(count, this.#offset - count, this.#searching, timeUs);
  }
}

/** What is wrong for sure with a head that has begun: the decoder waits until it is whole. */
function headProblem({ bytes, length }: ByteBuffer): FrameError | undefined {
  if (length < 3 || HEADER_STARTS.includes(bytes[2]!)) return undefined;
  return new FrameError("header-syntax", "The header is not a JSON object");
}

/** A brace, or white space before it. */
const HEADER_STARTS: readonly number[] = [0x7b, 0x20, 0x09, 0x0a, 0x0d];
