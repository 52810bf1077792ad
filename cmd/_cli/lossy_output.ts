import { formatCount } from "../../lib/base/units.ts";
import type { Output } from "./output.ts";

/** Events wait up to this: what ten thousand clients cause who come at once. */
const MAX_EVENT_BYTES = 1_048_576;

/** Prints events as JSON while they happen; in the place of what is left out, how many that were. */
export function jsonEvents(out: Output): LossyOutput {
  return new LossyOutput(out, (count) => ({ type: "left-out", count }), MAX_EVENT_BYTES);
}

/** Does the same for lines of text. @param shown Makes what is printed of a text. */
export function lossyLines(out: Output, shown: (text: string) => string | object): LossyOutput {
  const tell = (count: number) => shown(`${formatCount(count, "line")} left out`);
  return new LossyOutput(out, tell, MAX_EVENT_BYTES);
}

/**
 * Prints events as they happen. Events do not wait for the reader of stdout: while it is behind, lines
 * are left out and counted, and the count is printed in their place.
 */
export class LossyOutput {
  readonly #out: Output;
  readonly #tell: (count: number) => string | object;
  readonly #maxBytes: number;
  #isBehind = false;
  #leftOut = 0;

  /**
   * @param tell Makes what is printed in the place of lines that were left out, given how many they
   * were: a line, or an object for JSON.
   * @param maxBytes The reader is behind when more waits for it than this, and than the output's mark.
   */
  constructor(out: Output, tell: (count: number) => string | object, maxBytes = 0) {
    this.#out = out;
    this.#tell = tell;
    this.#maxBytes = maxBytes;
  }

  /** Whether the next line is left out; if so, it is counted. */
  leavesOut(): boolean {
    if (this.#isBehind) this.#leftOut++;
    return this.#isBehind;
  }

  /** Prints a line, or an object as JSON, unless it is left out. */
  print(what: string | object): void {
    if (this.leavesOut()) return;
    const full = typeof what === "string" ? this.#out.line(what) : this.#out.json(what);
    if (full === undefined || this.#out.pendingBytes <= this.#maxBytes) return;
    this.#isBehind = true;
    void full.then(() => this.finish());
  }

  /** Prints how many lines were left out since this was last said, even if the reader is behind. */
  finish(): void {
    this.#isBehind = false;
    const count = this.#leftOut;
    this.#leftOut = 0;
    if (count > 0) this.print(this.#tell(count));
  }
}
