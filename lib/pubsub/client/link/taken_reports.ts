/** The least time between two reports, and what has to be taken in between. */
const EVERY_MS = 500;
const LEAST_BYTES = 16_384;

/**
 * When a client tells its broker how many bytes it has taken of a connection. Of a client that is
 * slow the broker's socket shows for many seconds that it takes nothing, and then a megabyte at once:
 * it could not be told from one that has stopped.
 */
export class TakenReports {
  /** How many bytes came. */
  #cameBytes = 0;
  #toldBytes = 0;
  #toldAt = -Infinity;

  /** Bytes came. */
  came(bytes: number): void {
    this.#cameBytes += bytes;
  }

  /**
   * What to tell now; `undefined` if nothing.
   *
   * @param waitingBytes How many of the bytes that came are not handled, because the program has to
   * take others first.
   */
  due(waitingBytes: number, now: number): number | undefined {
    const taken = this.#cameBytes - waitingBytes;
    if (taken - this.#toldBytes < LEAST_BYTES || now - this.#toldAt < EVERY_MS) return undefined;
    this.#toldAt = now;
    return this.#toldBytes = taken;
  }
}
