import type { Output } from "./output.ts";

/**
 * Prints what happens while it happens. What comes while the reader of stdout is behind is left out and
 * counted, as nothing that happens waits for it; how much that was is printed in its place.
 */
export class LossyOutput {
  readonly #out: Output;
  readonly #tell: (count: number) => string | object;
  #isBehind = false;
  #leftOut = 0;

  /**
   * @param tell Makes what is printed in the place of lines that were left out, from their number: a
   * line, or an object for JSON.
   */
  constructor(out: Output, tell: (count: number) => string | object) {
    this.#out = out;
    this.#tell = tell;
  }

  /** Whether the next one is left out; it is counted then. */
  leavesOut(): boolean {
    if (this.#isBehind) this.#leftOut++;
    return this.#isBehind;
  }

  /** Prints a line, or an object as JSON, unless it is left out. */
  print(what: string | object): void {
    if (this.leavesOut()) return;
    const full = typeof what === "string" ? this.#out.line(what) : this.#out.json(what);
    if (full === undefined) return;
    this.#isBehind = true;
    void full.then(() => this.finish());
  }

  /** Prints how many were left out so far, if any were, also where the reader is behind. */
  finish(): void {
    this.#isBehind = false;
    const count = this.#leftOut;
    this.#leftOut = 0;
    if (count > 0) this.print(this.#tell(count));
  }
}
