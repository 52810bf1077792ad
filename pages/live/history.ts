import type { Figure } from "./series.ts";
import type { Stats } from "./stats.ts";

/** What is kept, in points: one a second. */
export const POINTS = 300;

/** The last minutes of some figures. */
export class History {
  /** Times in seconds since 1970, the oldest first. */
  readonly times: number[] = [];
  readonly #values = new Map<Figure, (number | null)[]>();
  #before: { readonly at: number; readonly stats: Stats } | undefined;

  constructor(figures: Iterable<Figure>) {
    for (const figure of figures) this.#values.set(figure, []);
  }

  /** The values of a figure, one for each time; `null` where it is not known. */
  of(figure: Figure): (number | null)[] {
    return this.#values.get(figure)!;
  }

  /** Notes what the server answered; `undefined` if it did not. */
  add(at: number, stats: Stats | undefined, answerMs: number): void {
    const before = this.#before;
    const isSameStart = stats !== undefined && before?.stats.startedAt === stats.startedAt;
    this.times.push(at / 1_000);
    for (const [figure, values] of this.#values) {
      let value: number | null = null;
      if (stats !== undefined && !figure.isRate) value = figure.value(stats, answerMs);
      else if (isSameStart) {
        const grown = figure.value(stats, 0) - figure.value(before!.stats, 0);
        value = Math.max(0, grown) / Math.max(0.001, (at - before!.at) / 1_000);
      }
      values.push(value);
    }
    // Where the server did not answer, the next rate is that of the whole time in between.
    if (stats !== undefined) this.#before = { at, stats };
    for (const list of [this.times, ...this.#values.values()]) {
      if (list.length > POINTS) list.shift();
    }
  }
}
