import type { Figure } from "./series.ts";
import type { Stats } from "./stats.ts";

/** What is kept, in points: one a second. */
export const POINTS = 300;

/** How many answers back a figure of the last seconds goes. */
const WINDOW = 10;

/** The last minutes of some figures. */
export class History {
  /** Times in seconds since 1970, the oldest first. */
  readonly times: number[] = [];
  readonly #values = new Map<Figure, (number | null)[]>();
  /** The last answers, the oldest first. */
  #answers: { readonly at: number; readonly stats: Stats }[] = [];

  constructor(figures: Iterable<Figure>) {
    for (const figure of figures) this.#values.set(figure, []);
  }

  /** The values of a figure, one for each time; `null` where it is not known. */
  of(figure: Figure): (number | null)[] {
    return this.#values.get(figure)!;
  }

  /** Notes what the server answered; `undefined` if it did not. */
  add(at: number, stats: Stats | undefined, answerMs: number): void {
    // Counters of another start begin anew.
    if (stats !== undefined && this.#answers[0]?.stats.startedAt !== stats.startedAt) {
      this.#answers = [];
    }
    this.times.push(at / 1_000);
    for (const [figure, values] of this.#values) {
      values.push(stats === undefined ? null : this.#valueOf(figure, at, stats, answerMs));
    }
    if (stats !== undefined) this.#answers.push({ at, stats });
    if (this.#answers.length > WINDOW) this.#answers.shift();
    for (const list of [this.times, ...this.#values.values()]) {
      if (list.length > POINTS) list.shift();
    }
  }

  #valueOf(figure: Figure, at: number, stats: Stats, answerMs: number): number | null {
    const [first] = this.#answers;
    const last = this.#answers.at(-1);
    if (figure.between) return first ? figure.between(stats, first.stats) : null;
    if (!figure.isRate) return figure.value(stats, answerMs);
    if (last === undefined) return null;
    const grown = figure.value(stats, 0) - figure.value(last.stats, 0);
    return Math.max(0, grown) / Math.max(0.001, (at - last.at) / 1_000);
  }
}
