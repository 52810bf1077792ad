import { Deque } from "../base/deque.ts";
import { firstDifference } from "../base/first_difference.ts";

/** The bytes that were sent and have not come back yet, in order. */
export class ExpectedBytes {
  /** How many bytes there are. */
  length = 0;
  readonly #chunks = new Deque<Uint8Array>();
  /** Where in the first chunk the next byte to come back is. */
  #at = 0;

  /** Adds bytes that were sent. They are not copied. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /**
   * Compares bytes that came back, and removes those that are right.
   *
   * @returns How many were right: all, unless a byte differs or more came than were expected.
   */
  take(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length && this.length > 0) {
      const chunk = this.#chunks.peek()!;
      const count = Math.min(chunk.length - this.#at, bytes.length - taken);
      const difference = firstDifference(
        chunk.subarray(this.#at, this.#at + count),
        bytes.subarray(taken, taken + count),
      );
      const right = difference < 0 ? count : difference;
      taken += right;
      this.#advance(right, chunk.length);
      if (difference >= 0) break;
    }
    return taken;
  }

  /** The next byte to come back; `undefined` if none is expected. */
  get next(): number | undefined {
    return this.#chunks.peek()?.[this.#at];
  }

  #advance(count: number, chunkLength: number): void {
    this.length -= count;
    this.#at += count;
    if (this.#at < chunkLength) return;
    this.#at = 0;
    this.#chunks.shift();
  }
}
