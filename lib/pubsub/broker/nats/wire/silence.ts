/** If more than this waits, the socket is full; less may only not have been handed to it yet. */
const MUCH_BYTES = 65_536;

/** What has been sent on a connection, and what waits. */
export interface Sending {
  /** Bytes that the socket has taken so far. */
  readonly writtenBytes: number;
  /** Bytes that wait for it. */
  readonly pendingBytes: number;
}

/**
 * Counts how often in a row, at a steady interval, a look finds that nothing was heard of a server, or
 * that it takes nothing. Unanswered pings do not tell that: several may have been sent a moment ago.
 */
export class Silence {
  #looks = 0;
  #writtenBytes = 0;
  /** Whether the last look found that it takes nothing of what waits. */
  #isStuck = false;

  /** Something came from it. That does not help publishers who wait until it takes what they send. */
  heard(): void {
    if (!this.#isStuck) this.#looks = 0;
  }

  /**
   * Looks. A server that takes what waits is there, even if it does not answer: a ping is dealt with
   * behind all that was sent before. What the socket took at once says nothing, as that may still be in
   * this machine's memory.
   *
   * @returns How many looks in a row have found it silent or stuck, this one included.
   */
  look({ writtenBytes, pendingBytes }: Sending): number {
    const isFull = pendingBytes > MUCH_BYTES;
    const hasTaken = writtenBytes > this.#writtenBytes;
    this.#looks = hasTaken && (isFull || this.#isStuck) ? 0 : this.#looks + 1;
    this.#isStuck = isFull && !hasTaken;
    this.#writtenBytes = writtenBytes;
    return this.#looks;
  }
}
