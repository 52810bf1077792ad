import type { AskingEnd } from "../../../../base/threads/shared_line.ts";

/**
 * For how long the thread that serves sockets may sleep until a batch is stored, in milliseconds: a disk
 * takes some 0.1 to 0.5.
 */
const LONGEST_MS = 2;

/**
 * After a batch that took longer, one is not waited for; after each that follows twice as many, at most so
 * many.
 */
const MOST_SKIPPED = 64;

/** The most publications of such a batch. While a larger one is stored, the next ones are read. */
const FEW = 8;

/**
 * The most publications of that batch and the one behind it, once that is handed over too. A client that has
 * so many outstanding has most often sent all of them by then. With 64, on disks that take less than 2 ms, the
 * broker took 4 to 13 % less processor time.
 */
const FEW_OF_TWO = 64;

/**
 * Decides for which batches of publications their thread sleeps until they are stored, instead of going on
 * with the event loop, where a message wakes it.
 */
export class BriefWait {
  /** How many batches are not waited for. */
  #skipped = 0;
  #nextSkipped = 1;

  /**
   * Whether to wait for a batch.
   *
   * @param asked How many publications are asked about, of all batches that are handed over.
   * @param batches How many these are: it alone, or one more.
   */
  isWorth(asked: number, batches = 1): boolean {
    if (asked === 0 || asked > (batches === 1 ? FEW : FEW_OF_TWO)) return false;
    if (this.#skipped === 0) return true;
    this.#skipped--;
    return false;
  }

  /** Waits for the answer. @returns whether it was taken; otherwise a message tells of it. */
  take(line: Pick<AskingEnd, "takeAnswer">): boolean {
    if (line.takeAnswer(LONGEST_MS)) {
      this.#nextSkipped = 1;
      return true;
    }
    this.#skipped = this.#nextSkipped;
    this.#nextSkipped = Math.min(MOST_SKIPPED, 2 * this.#nextSkipped);
    return false;
  }
}
