import { ChunkDecoder } from "./chunk_decoder.ts";
import type { Frame } from "./frame.ts";
import type { FrameDecoderOptions } from "./frame_decoder.ts";
import type { FrameError } from "./frame_error.ts";

const NO_BYTES = new Uint8Array(0);

/**
 * Frames, and parts of large ones, pulled one by one from a stream of bytes. Nothing is read ahead
 * of what is asked for, except what a chunk holds.
 */
export class FrameSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder: ChunkDecoder;
  readonly #onSkip: ((error: FrameError) => void) | undefined;
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
    this.#reader = bytes.getReader();
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
      if (done) {
        this.#error = this.#decoder.end();
        if (this.#error) throw this.#error;
        return undefined;
      }
      this.#take(value);
    }
    return this.#frames[this.#next++];
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

  #take(chunk: Uint8Array): void {
    const batch = this.#decoder.push(chunk);
    this.#frames = batch.frames;
    this.#next = 0;
    this.#error = batch.error;
  }
}
