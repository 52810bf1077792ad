/** What is waited in one go, in milliseconds. */
const STEP_MS = 5;

/** A step counts as no less than this part of the time that it took. */
const LEAST_COUNTED = 1 / 4;

/**
 * How long those that come are left in the system's queue where there is no room for them, rather than
 * that others are given up. Waiting uses it up, and each of the others that goes on gives some of it back:
 * so those that come at once wait for each other, but not for those that do not go on.
 *
 * It is counted in steps of 5 ms. One that takes up to 20 ms counts as no more: then the machine is busy,
 * and those that are waited for had no time either.
 */
export class ArrivalPatience {
  readonly #maxMs: number;
  #leftMs: number;

  /** @param maxMs All of it, in milliseconds. */
  constructor(maxMs: number) {
    this.#maxMs = this.#leftMs = maxMs;
  }

  /** Whether there is none left for one step. */
  get isOver(): boolean {
    return this.#leftMs < STEP_MS;
  }

  /** Waits for a step, or until there is room if that is sooner. */
  async wait(room?: Promise<void>): Promise<void> {
    const from = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const step = new Promise<void>((resolve) => timer = setTimeout(resolve, STEP_MS));
    await Promise.race([step, ...room ? [room] : []]);
    clearTimeout(timer);
    const tookMs = performance.now() - from;
    const countedMs = Math.max(Math.min(STEP_MS, tookMs), tookMs * LEAST_COUNTED);
    this.#leftMs = Math.max(0, this.#leftMs - countedMs);
  }

  /** Gives some back. */
  giveBack(ms: number): void {
    this.#leftMs = Math.min(this.#maxMs, this.#leftMs + ms);
  }
}
