/** Takes the time until a connection's socket has what waits for it, of one delivery after the other. */
export class DeliveryTimer {
  #timed: { readonly since: number; readonly mark: number; tell(ms: number): void } | undefined;

  /** Whether the time of a delivery is being taken. */
  get runs(): boolean {
    return this.#timed !== undefined;
  }

  /**
   * Starts, unless it runs.
   *
   * @param since When the delivery began to wait, in milliseconds of `performance.now()`.
   * @param mark How many bytes the socket has taken when it is over.
   */
  start(since: number, mark: number, tell: (ms: number) => void): void {
    this.#timed ??= { since, mark, tell };
  }

  /**
   * Called when the socket has taken something.
   *
   * @param pendingBytes What it has not taken. What was left out meanwhile is never written: a
   * delivery is over when nothing waits, too.
   */
  written(writtenBytes: number, pendingBytes: number): void {
    if (this.#timed === undefined) return;
    const { since, mark, tell } = this.#timed;
    if (writtenBytes < mark && pendingBytes > 0) return;
    this.#timed = undefined;
    tell(performance.now() - since);
  }
}
