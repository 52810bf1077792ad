import { ByteBuffer } from "../base/byte_buffer.ts";
import { decodeJson, decodeText } from "./content.ts";
import { FrameError } from "./frame_error.ts";
import type { FrameHeader } from "./header.ts";
import type { StreamedContent } from "./streamed_content.ts";
import type { FrameSource } from "./frame_source.ts";
import { NumberReader } from "./number_reader.ts";
import { type NumberArrays, type NumberType, readNumbers } from "./numbers.ts";

/**
 * A frame whose content can be read as a stream, like a `Response` of `fetch`. Read it once: either
 * as a stream, or whole by one of the methods. Do so before you ask for the next message, which
 * skips what was not read.
 */
export class StreamedMessage {
  /** The header, frozen; may be kept. */
  readonly header: FrameHeader;
  readonly #source: FrameSource;
  readonly #content: StreamedContent;
  readonly #maxBufferedBytes: number;
  #stream: ReadableStream<Uint8Array> | undefined;
  #used = false;
  /** Whether one of the methods reads the content, so that the stream cannot. */
  #taken = false;

  /** Made by `readMessages`. */
  constructor(
    header: FrameHeader,
    content: StreamedContent,
    source: FrameSource,
    maxBufferedBytes: number,
  ) {
    this.header = header;
    this.#content = content;
    this.#source = source;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** Whether the sender wrote numbers with the low byte first. */
  get littleEndian(): boolean {
    return this.header.byteorder === "little";
  }

  /** Whether the content has been read, or is being read. */
  get contentUsed(): boolean {
    return this.#used;
  }

  /**
   * The content as a stream of type `bytes`. Its chunks belong to their reader. A reader that
   * brings its own memory (`getReader({ mode: "byob" })`) gets large content without a copy, if the
   * stream of bytes that `readMessages` reads is of type `bytes` too. That of `byteStream` is: the
   * socket is read directly into the reader's memory.
   *
   * It fails with a `FrameError` if the stream of bytes ends too early, and with a `TypeError` if
   * the next message was asked for before all of it was read.
   */
  get content(): ReadableStream<Uint8Array> {
    this.#stream ??= new ReadableStream({
      type: "bytes",
      pull: async (controller) => {
        if (this.#taken) throw alreadyRead();
        this.#used = true;
        await this.#source.inTurn(() => this.#fill(controller));
      },
      cancel: () => {
        this.#used = true;
        this.#content.drop();
      },
    });
    return this.#stream;
  }

  /**
   * The whole content. Do not write to it: a small content is a view of a chunk, in which other
   * messages may lie.
   *
   * @throws {FrameError} `frame-too-large` if it is above `maxBufferedBytes`, `truncated` if the
   * stream ends inside it.
   * @throws {TypeError} if the content was read before, or skipped.
   */
  async bytes(): Promise<Uint8Array> {
    if (this.#used || this.#stream?.locked) throw alreadyRead();
    this.#used = this.#taken = true;
    const expected = this.header["content-length"];
    const limit = this.#maxBufferedBytes;
    if (expected > limit) {
      const message = `The content of ${expected} bytes is above the ${limit} bytes read at once`;
      throw new FrameError("frame-too-large", message, { part: "content", expected, limit });
    }
    const first = await this.#next() ?? new Uint8Array(0);
    if (first.length === expected) return first;
    const whole = new ByteBuffer(first.length * 2);
    whole.append(first);
    for (let part = await this.#next(); part; part = await this.#next()) whole.append(part);
    return whole.view();
  }

  /**
   * The whole content as text, by the header's `content-encoding`.
   *
   * @throws {ContentError} if the encoding is unknown, or the bytes are not text in it; else as
   * {@linkcode StreamedMessage.bytes} does.
   */
  async text(): Promise<string> {
    return decodeText(await this.bytes(), this.header);
  }

  /**
   * The whole content as JSON.
   *
   * @typeParam T What the caller takes it for; nothing checks that it is.
   * @throws {ContentError} if it is no JSON; else as `text` does.
   */
  async json<T = unknown>(): Promise<T> {
    return decodeJson(await this.bytes(), this.header) as T;
  }

  /** Reads numbers of different types from the whole content, in the sender's byte order. */
  async reader(): Promise<NumberReader> {
    return new NumberReader(await this.bytes(), this.littleEndian);
  }

  /** The whole content as numbers of one type, in the sender's byte order. */
  async numbers<T extends NumberType>(type: T): Promise<NumberArrays[T]> {
    return readNumbers(await this.bytes(), type, this.littleEndian);
  }

  /**
   * Skips what was not read of the content, as asking for the next message does. It can no longer
   * be read then.
   */
  skip(): Promise<void> {
    return this.#source.inTurn(() => this.#content.skip());
  }

  async #fill(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const memory = request?.view as Uint8Array<ArrayBuffer> | null | undefined;
    const part = (memory ? await this.#content.readInto(memory) : await this.#content.nextOwn()) as
      | Uint8Array<ArrayBuffer>
      | undefined;
    if (part === undefined) {
      controller.close();
      // A reader that waits with memory of its own gets that back.
      controller.byobRequest?.respond(0);
    } else if (request) request.respondWithNewView(part);
    else controller.enqueue(part);
  }

  #next(): Promise<Uint8Array | undefined> {
    return this.#source.inTurn(() => this.#content.next());
  }
}

function alreadyRead(): TypeError {
  return new TypeError("Cannot read the content of a message twice");
}
