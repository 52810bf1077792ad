import { decodeJson, decodeText } from "./content.ts";
import type { FrameHeader } from "./header.ts";
import { NumberReader } from "./number_reader.ts";
import { type NumberType, readNumbers, type TypedArrayOf } from "./numbers.ts";

/**
 * A frame, or with large content a part of one, as a decoder found it in a buffer.
 *
 * **Lifetime.** A frame does not own its bytes: {@linkcode Frame.content} and
 * {@linkcode Frame.bytes} are views of the decoder's buffer, good until the decoder's caller lets
 * that buffer be overwritten (with `serveRequests`: until the request is answered).
 * {@linkcode Frame.detach} makes the frame its own. The header can be kept.
 */
export class Frame {
  /** The header, frozen. */
  readonly header: FrameHeader;
  /** Bytes of the content that came in earlier parts; 0 for a frame that is whole. */
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

  /** The content, or this part of it: a view. */
  get content(): Uint8Array {
    return this.#buffer.subarray(this.#contentStart, this.#end);
  }

  /** The frame as it came over the wire: length, header and content. A view. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The memory that the frame lies in; see {@linkcode Frame.content} for how long it is good. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Where the content, or this part of it, begins in its buffer. It ends where the frame does. */
  get contentStart(): number {
    return this.#contentStart;
  }

  /** Where the frame begins in its buffer: the decoder's, or after `detach` its own. */
  get start(): number {
    return this.#start;
  }

  /** Where the frame, or this part of it, ends in its buffer. */
  get end(): number {
    return this.#end;
  }

  /** Whether no further part of the content follows. */
  get complete(): boolean {
    return this.offset + this.#end - this.#contentStart === this.header["content-length"];
  }

  /** Whether the sender's numbers have their low byte first. */
  get littleEndian(): boolean {
    return this.header.byteorder === "little";
  }

  /**
   * The content as text, by the header's `content-encoding`.
   *
   * @throws {ContentError} if the encoding is unknown or the bytes are none of its text.
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

  /** Reads numbers of mixed types one after the other, in the sender's byte order. */
  reader(): NumberReader {
    return new NumberReader(this.content, this.littleEndian);
  }

  /** The content as numbers of one type, in the sender's byte order. Copied. */
  numbers<T extends NumberType>(type: T): TypedArrayOf<T> {
    return readNumbers(this.content, type, this.littleEndian);
  }

  /** Copies the bytes, so that the frame may be kept. Returns the frame. */
  detach(): this {
    this.#buffer = new Uint8Array(this.bytes);
    this.#contentStart -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
    return this;
  }
}
