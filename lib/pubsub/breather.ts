/** How long clients that flood the broker are served in a row, in milliseconds. */
const BUSY_MS = 15;

/**
 * Short pauses for those who flood a broker. The runtime looks for sockets that have become
 * readable when it has nothing else to do, and otherwise only now and then: with one publisher
 * always ready, others waited up to 150 ms for their turn. A pause of all floods at one time gives
 * the runtime that moment.
 */
export class Breather {
  #until = 0;
  #rest: Promise<void> | undefined;

  /**
   * Called by a session after a large read, with the time in milliseconds of `performance.now()`.
   *
   * @returns What to wait for; `undefined` if it may go on.
   */
  take(now: number): Promise<void> | undefined {
    if (this.#rest === undefined && now >= this.#until) {
      this.#rest = new Promise((resolve) => setTimeout(() => this.#end(resolve), 0));
    }
    return this.#rest;
  }

  #end(resolve: () => void): void {
    this.#rest = undefined;
    this.#until = performance.now() + BUSY_MS;
    resolve();
  }
}
