import { reportError } from "./report.ts";
import { MAX_TIMER_MS } from "./timer_ms.ts";

/** The shortest and the longest time between two looks, in milliseconds. */
const MIN_TICK_MS = 20;
const MAX_TICK_MS = 1_000;

/** How many looks in a row may be late. */
const MAX_LATE = 3;

/**
 * How often to look whether limits in time are kept: four times in the shortest of them, between
 * 20 ms and 1 s. So a limit is passed by a quarter of it at most, by 20 ms if it is very short.
 *
 * @param limitsMs The limits; `0` and `Infinity` stand for none.
 * @returns Milliseconds; `Infinity` if there is no limit.
 */
export function tickMs(...limitsMs: readonly number[]): number {
  const shortest = Math.min(...limitsMs.filter((ms) => ms > 0));
  if (shortest === Infinity) return Infinity;
  return Math.max(MIN_TICK_MS, Math.min(MAX_TICK_MS, shortest / 4));
}

/**
 * Calls a function at an interval. One such timer checks the time limits of all connections, so
 * that reads and writes set no timers of their own. If the function throws, the error is reported,
 * and the calls go on.
 *
 * A look counts as late if it comes a whole interval after its time: the process stood still or was
 * busy, and may not have read yet what its peers sent meanwhile. The function is told so;
 * {@linkcode LimitLook} skips such a look. At most three in a row count as late, so that a process that
 * is always busy keeps its limits too.
 *
 * The timers are those of `AbortSignal.timeout()`. The first call of `setTimeout` or `setInterval`
 * makes Deno load its timers of Node, twenty modules that take 8 ms of CPU, and a server that starts
 * looks before it answers. Such a timer cannot be cancelled: a look that was stopped leaves 600 bytes
 * until the interval has passed.
 *
 * @example
 * ```ts
 * import { PeriodicLook, tickMs } from "./periodic_look.ts";
 * import { assert } from "@std/assert";
 *
 * const seen = Promise.withResolvers<number>();
 * using look = new PeriodicLook(tickMs(80), (now) => seen.resolve(now));
 * look.start();
 * assert(await seen.promise <= performance.now());
 * ```
 */
export class PeriodicLook implements Disposable {
  readonly #everyMs: number;
  readonly #look: (now: number, isLate: boolean) => void;
  readonly #onTimer = () => this.#tick();
  #timer: AbortSignal | undefined;
  #dueAt = Infinity;
  /** Looks in a row that were late. */
  #late = 0;

  /**
   * Does not start yet.
   *
   * @param everyMs The time between two looks; `Infinity` for none ever.
   * @param look Is given the time, in milliseconds of `performance.now()`, and whether it is late.
   */
  constructor(everyMs: number, look: (now: number, isLate: boolean) => void) {
    this.#everyMs = everyMs;
    this.#look = look;
  }

  /** Starts; once more does nothing. The first look comes when the time between two has passed. */
  start(): void {
    if (this.#everyMs !== Infinity && this.#timer === undefined) this.#wait();
  }

  /** Stops; no look comes after it. It may be started again. */
  stop(): void {
    // Without a listener the timer keeps no process running.
    this.#timer?.removeEventListener("abort", this.#onTimer);
    this.#timer = undefined;
  }

  /** Stops. */
  [Symbol.dispose](): void {
    this.stop();
  }

  #wait(): void {
    const ms = Math.ceil(Math.min(this.#everyMs, MAX_TIMER_MS));
    this.#dueAt = performance.now() + ms;
    this.#timer = AbortSignal.timeout(ms);
    this.#timer.addEventListener("abort", this.#onTimer);
  }

  #tick(): void {
    const now = performance.now();
    const isLate = now - this.#dueAt > this.#everyMs && this.#late < MAX_LATE;
    this.#late = isLate ? this.#late + 1 : 0;
    // Before the look, which may stop it.
    this.#wait();
    try {
      this.#look(now, isLate);
    } catch (error) {
      reportError(error, "A periodic check failed");
    }
  }
}

/**
 * A look at whether peers keep limits in time. A late one is skipped: it could blame peers whose bytes
 * have come and have not been read yet.
 */
export class LimitLook extends PeriodicLook {
  /** As for {@linkcode PeriodicLook}. */
  constructor(everyMs: number, look: (now: number) => void) {
    super(everyMs, (now, isLate) => {
      if (!isLate) look(now);
    });
  }
}
