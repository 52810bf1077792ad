const EVERY_MS = 5;

/** Timers are this late on a machine that does nothing else. */
const USUAL_MS = 2;

/** Measures how late timers of this process are, all together, until it is disposed. */
export class Lateness implements Disposable {
  #totalMs = 0;
  #at = performance.now();
  readonly #timer = setInterval(() => this.#look(), EVERY_MS);

  /** In milliseconds: next to nothing, unless the machine or the process is busy with something else. */
  get totalMs(): number {
    this.#look();
    return this.#totalMs;
  }

  /** Ends. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#totalMs += Math.max(0, now - this.#at - EVERY_MS - USUAL_MS);
    this.#at = now;
  }
}
