/** A search that was to be a cheap one turned out costly: it has to be run as such. */
export class CostlySearchError extends Error {
  override readonly name = "CostlySearchError";
}

/** How many entries are looked at in the time in which one is ranked. */
const LOOKED_AT = 16;
/** Code units of text that are read for a passage in the time in which an entry is ranked. */
const TEXT = 64;

/**
 * What a search may cost, counted in entries that are ranked: about 1 µs each. SQLite cannot be
 * interrupted, so a search that may not take long asks before each step whether it is too large.
 */
export class Effort {
  #left: number;

  /** Without a number there is no limit. */
  constructor(entries = Infinity) {
    this.#left = entries;
  }

  /** Whether there is no limit: then nothing has to be counted for it. */
  get isFree(): boolean {
    return this.#left === Infinity;
  }

  /** How many entries may be ranked, one more than which is too many. */
  get ranked(): number {
    return Math.floor(this.#left);
  }

  /** How many entries may be looked at. */
  get lookedAt(): number {
    return Math.floor(this.#left * LOOKED_AT);
  }

  /** Entries are ranked. @throws {CostlySearchError} if they are too many. */
  rank(entries: number): void {
    if ((this.#left -= entries) < 0) throw new CostlySearchError("The search is a costly one");
  }

  /** Entries were looked at, not ranked. @throws {CostlySearchError} if they are too many. */
  lookAt(entries: number): void {
    this.rank(entries / LOOKED_AT);
  }

  /** A text is read for a passage. @throws {CostlySearchError} if it is too long. */
  read(text: string): void {
    this.rank(text.length / TEXT);
  }
}
