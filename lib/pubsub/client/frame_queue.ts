import { ByteBuffer, type OutgoingFrame, writeFrame } from "../../frame/mod.ts";

/** Where the frames of a {@linkcode FrameQueue} go in the end. */
export interface FrameQueueTarget {
  /** Sends encoded frames, which it copies. */
  sendBytes(bytes: Uint8Array): Promise<void>;
}

/** Frames that wait for a connection, encoded, with a bound. */
export class FrameQueue {
  readonly #maxBytes: number;
  #buffer = new ByteBuffer(0);
  /** The promise that they are sent. */
  #sent: PromiseWithResolvers<void> | undefined;

  /** @param maxBytes The most that may wait. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#buffer.length;
  }

  /**
   * Adds a frame.
   *
   * @returns A promise that resolves when all that waits is sent; `undefined` if there is no room
   * for the frame.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is added then.
   */
  add(frame: OutgoingFrame): Promise<void> | undefined {
    const before = this.#buffer.length;
    writeFrame(this.#buffer, frame);
    if (this.#buffer.length > this.#maxBytes) {
      this.#buffer.length = before;
      return undefined;
    }
    if (this.#sent === undefined) {
      this.#sent = Promise.withResolvers();
      // A program that does not await it must not end with an unhandled rejection.
      this.#sent.promise.catch(() => {});
    }
    return this.#sent.promise;
  }

  /** Sends what waits. */
  sendTo(target: FrameQueueTarget): void {
    const sent = this.#sent;
    if (sent) target.sendBytes(this.#buffer.view()).then(sent.resolve, sent.reject);
    this.#clear();
  }

  /** Drops what waits, and rejects its promise. */
  fail(error: unknown): void {
    this.#sent?.reject(error);
    this.#clear();
  }

  #clear(): void {
    this.#buffer = new ByteBuffer(0);
    this.#sent = undefined;
  }
}
