import { messageOf } from "../../base/message_of.ts";
import { valueKind } from "../../base/value_kind.ts";
import { ByteReader } from "../../frame/byte_reader.ts";
import {
  ContentStreamError,
  type ContentStreamErrorCode,
} from "../../frame/content_stream_error.ts";

/** The size in bytes of a read from a byte stream. */
const READ_BYTES = 131_072;

/**
 * After 200 small chunks, which take 1 to 2 ms, others get a turn of about 1 ms. Without that a stream
 * whose chunks are always ready would hold the thread until it ends, and for ever if they are empty.
 */
const SMALL_BYTES = 1_024;
const SMALL_CHUNKS_A_TURN = 200;

const NO_BYTES = new Uint8Array(0);

/** The result of a read at the end of the stream. */
const END = Symbol("end");

/**
 * Reads a stream that is to be sent as a content, and checks that it gives exactly as many bytes as
 * the header says. Streams of type `bytes` are read into one memory, which every read uses again.
 */
export class ContentSource {
  readonly #reader: ByteReader;
  readonly #expected: number;
  readonly #timeoutMs: number;
  #given = 0;
  #smallChunks = 0;
  /** The memory for reads from a byte stream, which each read transfers and gives back. */
  #memory: ArrayBuffer | undefined;
  #ended = false;
  #cancelled: { readonly reason: unknown } | undefined;

  /**
   * Takes over the stream, which is read to its end, or cancelled.
   *
   * @param expected How many bytes it has to give.
   * @param timeoutMs The longest time that a read may take; `0` sets no limit.
   * @throws {TypeError} if the stream has a reader already.
   */
  constructor(stream: ReadableStream<Uint8Array>, expected: number, timeoutMs: number) {
    this.#reader = new ByteReader(stream);
    this.#expected = expected;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The next bytes, valid until the next call; `undefined` at the end. The last bytes are given
   * only when the stream has ended, so that a content that is too long is never sent as a complete
   * one.
   *
   * @throws {ContentStreamError} if the stream gives less or more than it must, fails, or takes too
   * long; the stream is cancelled then.
   * @throws what it was cancelled with.
   */
  async next(): Promise<Uint8Array | undefined> {
    this.#checkCancelled();
    if (this.#ended) return undefined;
    const timer = this.#timeoutMs > 0
      ? setTimeout(() => this.#timedOut(), this.#timeoutMs)
      : undefined;
    try {
      const chunk = await this.#nextChunk();
      if (this.#given >= this.#expected) await this.#end();
      return chunk.length > 0 ? chunk : undefined;
    } catch (error) {
      this.cancel(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cancels the stream. A pending `next` rejects with the reason. */
  cancel(reason: unknown): void {
    if (this.#ended || this.#cancelled) return;
    this.#cancelled = { reason };
    // Whoever cancels has no use for a failure to cancel.
    this.#reader.cancel(reason).catch(() => {});
  }

  #timedOut(): void {
    this.cancel(this.#error("timed-out", `gave nothing for ${this.#timeoutMs} ms`));
  }

  /** The next chunk that is not empty; an empty one if all bytes were given. */
  async #nextChunk(): Promise<Uint8Array> {
    let chunk: Uint8Array = NO_BYTES;
    while (chunk.length === 0 && this.#given < this.#expected) {
      const next = await this.#read(READ_BYTES);
      if (next === END) throw this.#error("too-short", "ended");
      chunk = next;
      this.#given += chunk.length;
    }
    return chunk;
  }

  /** Waits for the end of the stream, which has given all bytes. */
  async #end(): Promise<void> {
    // The last chunk is a view of the memory, so this read needs another.
    this.#memory = undefined;
    while (this.#given <= this.#expected) {
      const surplus = await this.#read(1);
      if (surplus === END) {
        this.#ended = true;
        return;
      }
      this.#given += surplus.length;
    }
    const what = `gave ${this.#given} bytes or more where content-length is ${this.#expected}`;
    throw new ContentStreamError("too-long", what, this.#given, this.#expected);
  }

  async #read(size: number): Promise<Uint8Array | typeof END> {
    let result: ReadableStreamReadResult<unknown>;
    try {
      result = this.#reader.isByteStream
        ? await this.#reader.readInto(new Uint8Array(this.#memory ?? new ArrayBuffer(size)))
        : await this.#reader.read();
    } catch (cause) {
      this.#checkCancelled();
      throw this.#error("failed", `failed: ${messageOf(cause)},`, { cause });
    }
    this.#checkCancelled();
    if (result.done) return END;
    const { value } = result;
    if (!(value instanceof Uint8Array)) {
      throw this.#error("wrong-chunk", `gave ${valueKind(value)}, which is no Uint8Array,`);
    }
    if (this.#reader.isByteStream) this.#memory = value.buffer as ArrayBuffer;
    if (value.length < SMALL_BYTES && ++this.#smallChunks % SMALL_CHUNKS_A_TURN === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#checkCancelled();
    }
    return value;
  }

  #checkCancelled(): void {
    if (this.#cancelled) throw this.#cancelled.reason;
  }

  #error(code: ContentStreamErrorCode, what: string, options?: ErrorOptions): ContentStreamError {
    const at = `after ${this.#given} of ${this.#expected} bytes`;
    return new ContentStreamError(code, `${what} ${at}`, this.#given, this.#expected, options);
  }
}
