/** How long the writing thread is to take for a group, without waiting for the disk. */
const TARGET_MS = 10;
/**
 * Sizes in code units of text: of what takes longest to write some 4,000 are written in that time, of
 * other texts 20,000 to 100,000.
 */
const LEAST = 4 * 1024;
const FIRST = 16 * 1024;
const MOST = 128 * 1024;
/** After a group that took less time, the next one may be larger by this. */
const GROWTH = 1.5;
/** After one that took longer, the next one is smaller by this at most: it may have been by chance. */
const SHRINKING = 4;

/**
 * How much the writes that share a transaction may have: who writes little waits for the group before
 * and for its own. What a write takes cannot be told by its length alone: words that are new to the
 * index take ten times as long as others. So a group that took too long makes the next one smaller.
 */
export class GroupSize {
  #most = FIRST;

  /** The largest size of a group of more than one write. */
  get most(): number {
    return this.#most;
  }

  /** Notes how long a group took. What a small part of one takes says little of a whole one. */
  took(size: number, ms: number): void {
    const most = this.#most;
    if (ms > TARGET_MS && size >= LEAST) {
      this.#most = Math.max(LEAST, most / SHRINKING, Math.min(most, size * TARGET_MS / ms));
    } else if (ms < TARGET_MS && size >= most / 2) this.#most = Math.min(MOST, most * GROWTH);
  }
}
