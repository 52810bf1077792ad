import type { Log, LogFields } from "./log.ts";

/** The same is told this often. */
const INTERVAL_MS = 1_000;

/** The most things told apart; further ones share a line. */
const MAX_THINGS = 1_000;

/** How a {@linkcode RepeatedWarnings} words what happened. */
export interface Wording {
  /** What it is about when too much is told apart. */
  readonly others: string;
  /** When it happens after it has not for a while. */
  first(about: string): string;
  /** When it happened this often and was not told. */
  more(count: number, about: string): string;
}

/**
 * Warns of what peers can make happen again and again: of each thing at once, then at most once a
 * second, with the number of those that were left out.
 */
export class RepeatedWarnings implements Disposable {
  readonly #log: Pick<Log, "warn">;
  readonly #intervalMs: number;
  /** How many were left out since the last warning, by what they are about. */
  readonly #leftOut = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(log: Pick<Log, "warn">, intervalMs = INTERVAL_MS) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** Tells of one, or counts it. @param about Tells it apart. @returns whether it was told. */
  add(about: string, wording: Wording, fields?: LogFields): boolean {
    const isKnown = this.#leftOut.has(about);
    const thing = isKnown || this.#leftOut.size < MAX_THINGS ? about : wording.others;
    const leftOut = this.#leftOut.get(thing);
    if (leftOut !== undefined) {
      this.#leftOut.set(thing, leftOut + 1);
      return false;
    }
    this.#log.warn(wording.first(thing), fields);
    this.#wait(thing, wording);
    return true;
  }

  /** Tells nothing more of those that were left out. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #wait(thing: string, wording: Wording): void {
    this.#leftOut.set(thing, 0);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look(thing, wording);
    }, this.#intervalMs);
    this.#timers.add(timer);
    // It does not keep the program running.
    Deno.unrefTimer(timer);
  }

  #look(thing: string, wording: Wording): void {
    const count = this.#leftOut.get(thing)!;
    this.#leftOut.delete(thing);
    if (count === 0) return;
    this.#log.warn(wording.more(count, thing));
    this.#wait(thing, wording);
  }
}
