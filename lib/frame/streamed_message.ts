import { ByteBuffer } from "../base/byte_buffer.ts";
import { decodeJson, decodeText } from "./content.ts";
import { FrameError } from "./frame_error.ts";
import type { FrameHeader } from "./header.ts";
import type { StreamedContent } from "./streamed_content.ts";
import type { FrameSource } from "./frame_source.ts";
import { NumberReader } from "./number_reader.ts";
import { type NumberType, readNumbers, type TypedArrayOf } from "./numbers.ts";

/**
 * A frame whose content is a stream, like the `Response` of `fetch`: read it as a stream, or whole
 * by one of the methods, once. It has to be read before the next message is asked for; what was
 * not is skipped.
 *
 * Small content is there at once; large content is read from the connection as it is asked for.
 */
export class StreamedMessage {
  /** The header, frozen; may be kept. */
  readonly header: FrameHeader;
  readonly #source: FrameSource;
  readonly #content: StreamedContent;
  readonly #maxBufferedBytes: number;
  #stream: ReadableStream<Uint8Array> | undefined;
  #used = false;
  /** Whether one of the methods has the content, so that a stream of it has nothing. */
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

  /** Whether the sender's numbers have their low byte first. */
  get littleEndian(): boolean {
    return this.header.byteorder === "little";
  }

  /** Whether the content has been read, or is being read. */
  get contentUsed(): boolean {
    return this.#used;
  }

  /**
   * The content: a stream of type `bytes`, whose chunks belong to whoever reads them. A reader with
   * memory of its own (`getReader({ mode: "byob" })`) gets large content without a copy where the
   * stream below is of type `bytes` too, as that of `byteStream` is: it comes straight from the
   * socket into that memory.
   *
   * It fails with a `FrameError` where the stream below ends too soon, and with a `TypeError` where
   * the next message was asked for before all was read.
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
   * The whole content. It must not be written to: a small one may lie in the memory of a chunk, beside
   * other messages.
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
   * @throws {ContentError} if the encoding is unknown or the bytes are none of its text; else as
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

  /** Reads numbers of mixed types from the whole content, in the sender's byte order. */
  async reader(): Promise<NumberReader> {
    return new NumberReader(await this.bytes(), this.littleEndian);
  }

  /** The whole content as numbers of one type, in the sender's byte order. */
  async numbers<T extends NumberType>(type: T): Promise<TypedArrayOf<T>> {
    return readNumbers(await this.bytes(), type, this.littleEndian);
  }

  /**
   * Reads past what is left of the content, as asking for the next message does. Reading it fails
   * from here on.
   */
  skip(): Promise<void> {
    return this.#source.inTurn(() => this.#content.skip());
  }

  async #fill(controller: ReadableByteStreamController): Promise<void> {
    const request = controller.byobRequest;
    const memory = request?.view as Uint8Array<ArrayBuffer> | null | undefined;
    const part = memory ? await this.#content.readInto(memory) : await this.#content.nextOwn();
    if (part === undefined) {
      controller.close();
      // Gives the memory back of the read that waits, if one does.
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
