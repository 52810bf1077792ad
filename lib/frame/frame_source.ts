import { ByteReader } from "./byte_reader.ts";
import { ChunkDecoder } from "./chunk_decoder.ts";
import type { Frame } from "./frame.ts";
import type { FrameDecoderOptions } from "./frame_decoder.ts";
import type { FrameError } from "./frame_error.ts";

const NO_BYTES = new Uint8Array(0);

/** Fewer bytes are not worth a read of their own: they are copied from a chunk. */
const LEAST_DIRECT_BYTES = 8_192;

/**
 * Frames, and parts of large ones, pulled one by one from a stream of bytes. Nothing is read ahead
 * of what is asked for, except what a chunk holds.
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
          // The one who reads sees the error; who writes has to stop.
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

  /** Whether a frame has the memory that it lies in to itself, and nobody else may use that. */
  ownsMemory(frame: Frame): boolean {
    return this.#reader.isByteStream && this.#frames.length === 1 && frame.buffer === this.#chunk;
  }

  /**
   * Reads bytes of the content that goes out in parts straight into memory, which is taken over:
   * what comes is a view of it, moved. `undefined` if the next part has to come by
   * {@linkcode FrameSource.next}; the memory is not touched then.
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

  /** Runs a task once those given before have ended: messages and contents share the stream. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task, task);
    // The one who asked sees its failure; the next in turn runs all the same.
    this.#turn = turn.catch(() => {});
    return turn;
  }

  cancel(reason: unknown): Promise<void> {
    this.#cancelled = { reason };
    return this.#reader.cancel(reason);
  }

  // What waits for bytes when the stream is cancelled is not at the stream's end.
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
