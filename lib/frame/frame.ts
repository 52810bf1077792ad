import { decodeJson, decodeText } from "./content.ts";
import type { FrameHeader } from "./header.ts";
import { NumberReader } from "./number_reader.ts";
import { type NumberArrays, type NumberType, readNumbers } from "./numbers.ts";

/**
 * A frame in a decoder's buffer, or a part of one whose content is handed out in parts.
 *
 * **Lifetime.** {@linkcode Frame.content} and {@linkcode Frame.bytes} are views of the buffer that
 * was decoded. They are valid until that buffer is overwritten; with `serveRequests`, until the
 * request is answered. {@linkcode Frame.detach} copies the frame, to keep it. The header may always
 * be kept.
 */
export class Frame {
  /** The header, frozen. */
  readonly header: FrameHeader;
  /** Bytes of the content that were in earlier parts; 0 for a whole frame. */
  readonly offset: number;
  #buffer: Uint8Array;
  #start: number;
  #contentStart: number;
  #end: number;

  /** Made by a decoder; `buffer[start, end)` is the frame and `[contentStart, end)` its content. */
  constructor(
    header: FrameHeader,
    buffer: Uint8Array,
    start: number,
    contentStart: number,
    end: number,
    offset = 0,
  ) {
    this.header = header;
    this.offset = offset;
    this.#buffer = buffer;
    this.#start = start;
    this.#contentStart = contentStart;
    this.#end = end;
  }

  /** The content, or this part of it. A view. */
  get content(): Uint8Array {
    return this.#buffer.subarray(this.#contentStart, this.#end);
  }

  /** The frame as it came over the wire: length, header and content. A view. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The buffer that the frame lies in; it is valid as long as {@linkcode Frame.content} is. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Where the content, or this part of it, begins in the buffer. It ends where the frame ends. */
  get contentStart(): number {
    return this.#contentStart;
  }

  /** Where the frame begins in the buffer: the decoder's, or after `detach` its own. */
  get start(): number {
    return this.#start;
  }

  /** Where the frame, or this part of it, ends in the buffer. */
  get end(): number {
    return this.#end;
  }

  /** Whether this is the whole content, or the last part of it. */
  get complete(): boolean {
    return this.offset + this.#end - this.#contentStart === this.header["content-length"];
  }

  /** Whether the sender wrote numbers with the low byte first. */
  get littleEndian(): boolean {
    return this.header.byteorder === "little";
  }

  /**
   * The content as text, by the header's `content-encoding`.
   *
   * @throws {ContentError} if the encoding is unknown, or the bytes are not text in it.
   */
  text(): string {
    return decodeText(this.content, this.header);
  }

  /**
   * The content as JSON.
   *
   * @typeParam T What the caller takes it for; nothing checks that it is.
   * @throws {ContentError} if it is no JSON.
   */
  json<T = unknown>(): T {
    return decodeJson(this.content, this.header) as T;
  }

  /** Reads numbers of different types one after the other, in the sender's byte order. */
  reader(): NumberReader {
    return new NumberReader(this.content, this.littleEndian);
  }

  /** The content as numbers of one type, in the sender's byte order. A copy. */
  numbers<T extends NumberType>(type: T): NumberArrays[T] {
    return readNumbers(this.content, type, this.littleEndian);
  }

  /** Copies the frame's bytes out of the buffer, so that it may be kept. Returns the same frame. */
  detach(): this {
    this.#buffer = new Uint8Array(this.bytes);
    this.#contentStart -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
    return this;
  }
}
