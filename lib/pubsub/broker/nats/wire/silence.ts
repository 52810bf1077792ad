/** More than this waits where a socket takes no more for the moment, not where it is about to be sent. */
const MUCH_BYTES = 65_536;

/** What has been sent on a connection, and what waits. */
export interface Sending {
  /** Bytes that the socket has taken so far. */
  readonly writtenBytes: number;
  /** Bytes that wait for it. */
  readonly pendingBytes: number;
}

/**
 * For how long nothing was heard of a server, in looks at an even pace. How many pings are not answered
 * says nothing of that: several may have been sent a moment ago.
 */
export class Silence {
  #looks = 0;
  #writtenBytes = 0;

  /** Something came from it. */
  heard(): void {
    this.#looks = 0;
  }

  /**
   * Looks. A server that takes what waits is there, even if it does not answer: a ping is dealt with
   * behind all that was sent before. What the socket took at once says nothing, as that may still be in
   * this machine's memory.
   *
   * @returns How many looks in a row have found it silent, this one included.
   */
  look({ writtenBytes, pendingBytes }: Sending): number {
    const isTaking = pendingBytes > MUCH_BYTES && writtenBytes > this.#writtenBytes;
    this.#writtenBytes = writtenBytes;
    this.#looks = isTaking ? 0 : this.#looks + 1;
    return this.#looks;
  }
}
