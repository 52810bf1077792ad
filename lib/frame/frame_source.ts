import { ByteReader } from "./byte_reader.ts";
import { ChunkDecoder } from "./chunk_decoder.ts";
import type { Frame } from "./frame.ts";
import type { FrameDecoderOptions } from "./frame_decoder.ts";
import type { FrameError } from "./frame_error.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * Smaller reads are not made directly into the reader's memory: a chunk is read and copied from.
 */
const LEAST_DIRECT_BYTES = 8_192;

/**
 * Reads frames one by one from a stream of bytes; content above `streamAbove` comes in parts. A
 * chunk is read only when all frames of the last one have been taken.
 */
export class FrameSource {
  readonly #reader: ByteReader;
  readonly #decoder: ChunkDecoder;
  readonly #onSkip: ((error: FrameError) => void) | undefined;
  #chunk: Uint8Array = NO_BYTES;
  #frames: readonly Frame[] = [];
  #next = 0;
  #error: FrameError | undefined;
  #cancelled: { readonly reason: unknown } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    bytes: ReadableStream<Uint8Array>,
    options: FrameDecoderOptions,
    onSkip: ((error: FrameError) => void) | undefined,
  ) {
    this.#decoder = new ChunkDecoder(options);
    this.#onSkip = onSkip;
    this.#reader = new ByteReader(bytes);
  }

  /**
   * The next frame or part; `undefined` at the end of the stream.
   *
   * @throws {FrameError} if the stream is broken; and what the stream of bytes failed with.
   */
  async next(): Promise<Frame | undefined> {
    this.#throwIfCancelled();
    while (this.#next === this.#frames.length) {
      if (this.#error) {
        if (!this.#onSkip || !this.#error.recoverable) {
          // Whoever fills the stream should stop.
          this.#reader.cancel(this.#error).catch(() => {});
          throw this.#error;
        }
        this.#onSkip(this.#error);
        this.#take(NO_BYTES);
        continue;
      }
      const { done, value } = await this.#reader.read();
      this.#throwIfCancelled();
      if (done) return this.#atEnd();
      this.#take(value);
    }
    return this.#frames[this.#next++];
  }

  /** Whether the frame's memory holds nothing else that is in use, and belongs to this reader. */
  ownsMemory(frame: Frame): boolean {
    return this.#reader.isByteStream && this.#frames.length === 1 && frame.buffer === this.#chunk;
  }

  /**
   * Reads the next bytes of the content that comes in parts directly into memory. The memory is
   * transferred: the result is a view of the same memory under a new `ArrayBuffer`. The result is
   * `undefined`, and the memory is left alone, if the next part has to be read by
   * {@linkcode FrameSource.next}.
   *
   * @throws as {@linkcode FrameSource.next} does.
   */
  async readInto(memory: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    this.#throwIfCancelled();
    const most = Math.min(memory.length, this.#decoder.contentLeft);
    const direct = this.#reader.isByteStream && this.#next === this.#frames.length && !this.#error;
    if (!direct || most < LEAST_DIRECT_BYTES) return undefined;
    const { done, value } = await this.#reader.readInto(memory.subarray(0, most));
    this.#throwIfCancelled();
    if (done) return this.#atEnd();
    this.#decoder.passContent(value.length);
    return value;
  }

  /** Runs tasks one after the other, because messages and their contents read the same stream. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task, task);
    // The caller gets the failure of a task; the next task runs all the same.
    this.#turn = turn.catch(() => {});
    return turn;
  }

  cancel(reason: unknown): Promise<void> {
    this.#cancelled = { reason };
    return this.#reader.cancel(reason);
  }

  // A read that ends because the stream was cancelled does not mean that the bytes have ended.
  #throwIfCancelled(): void {
    if (this.#cancelled) throw this.#cancelled.reason;
  }

  #atEnd(): undefined {
    this.#error = this.#decoder.end();
    if (this.#error) throw this.#error;
  }

  #take(chunk: Uint8Array): void {
    this.#chunk = chunk;
    const batch = this.#decoder.push(chunk);
    this.#frames = batch.frames;
    this.#next = 0;
    this.#error = batch.error;
  }
}
