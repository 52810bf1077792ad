import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "../../sqlite/transaction.ts";
import { yieldToMessages } from "./yield_to_messages.ts";

/** How segments are merged. */
interface Merging {
  /** Pages of 4 KiB that one step writes; more, where a single word's list is longer. */
  readonly pages: number;
  /** Segments of a level that are merged into one of the next. */
  readonly fanIn: number;
}

/** While clients may write: a step takes about 1 ms. */
const SHARED: Merging = { pages: 32, fanIn: 16 };
/** In the first pass: its segments are large, so that they are few matters more than what it costs. */
const ALONE: Merging = { pages: 1024, fanIn: 4 };

/** For this much text that clients wrote, in code units, a step is made: merging writes it a few times. */
const LENGTH_OF_STEP = 32 * 1024;

/**
 * Merges the segments of the full-text index. Each transaction adds one, and a search looks into all
 * of them. FTS5 would merge within a transaction, and all of a level at once when it has too many: a
 * small write that followed large ones took as long as they had. So it is told not to
 * (`word_schema.ts`), and this does it in steps of bounded size, between which clients' writes go.
 */
export class SegmentMerger {
  readonly #db: DatabaseSync;
  readonly #merge: StatementSync;
  readonly #changes: StatementSync;
  #fanIn = 0;
  /** Transactions of clients since nothing was left to merge. */
  #written = 0;

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#merge = db.prepare("INSERT INTO words (words, rank) VALUES ('merge', ?)");
    this.#changes = db.prepare("SELECT total_changes() AS n");
  }

  /**
   * Notes a transaction of clients. Where there is something to merge, steps are made for it at once:
   * beside clients who write without a pause {@linkcode SegmentMerger.merge} has its turn seldom.
   *
   * @param length The code units of text in it.
   */
  wrote(length: number): void {
    if (this.isDue) {
      this.#setFanIn(SHARED.fanIn);
      for (let steps = 1 + Math.floor(length / LENGTH_OF_STEP); steps > 0; steps--) {
        if (!this.#step(SHARED.pages)) this.#written = steps = 0;
      }
    }
    this.#written++;
  }

  /** Whether clients have left enough segments for {@linkcode SegmentMerger.merge}. */
  get isDue(): boolean {
    return this.#written >= SHARED.fanIn;
  }

  /**
   * Merges until every level has few segments. Between two steps clients' writes go.
   *
   * @param signal Ends it between two steps, with the signal's reason.
   * @param isAlone Whether no client waits.
   */
  async merge(signal: AbortSignal, isAlone = false): Promise<void> {
    const { pages, fanIn } = isAlone ? ALONE : SHARED;
    try {
      this.#setFanIn(fanIn);
      while (this.#step(pages)) {
        await yieldToMessages();
        signal.throwIfAborted();
      }
    } finally {
      this.#written = 0;
    }
  }

  /** @returns whether there was anything to merge. */
  #step(pages: number): boolean {
    return transaction(this.#db, () => {
      const before = this.#totalChanges();
      this.#merge.run(pages);
      // By FTS5's documentation, what finds nothing to merge makes less than two changes.
      return this.#totalChanges() - before >= 2;
    });
  }

  /** The index keeps the number, so it is seldom set. */
  #setFanIn(fanIn: number): void {
    if (this.#fanIn === fanIn) return;
    this.#db.exec(`INSERT INTO words (words, rank) VALUES ('usermerge', ${fanIn})`);
    this.#fanIn = fanIn;
  }

  #totalChanges(): number {
    return Number(this.#changes.get()!["n"]);
  }
}
