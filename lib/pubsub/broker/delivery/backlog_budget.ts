import { Budget } from "../../../base/budget.ts";
import { ChunkStore } from "./chunk_store.ts";
import { REFERENCE_BYTES } from "./piece.ts";

/** When there is no room, backlogs shrink until this share of the whole is free. */
const RELIEVED_SHARE = 1 / 8;
/**
 * The most bytes that are freed at one time. To leave out one publication takes 1 µs, and there may be
 * millions of small ones.
 */
const RELIEVED_BYTES = 262_144;

/** By what factor more is cut where that was not enough. */
const CUT_MORE = 4;

/** Backlogs smaller than this are not what takes the memory. */
export const LEAST_LEVEL = 4_096;

/** The size of the chunks that several backlogs share. */
const SHARED_CHUNK_BYTES = 65_536;

/** A backlog that shares a {@linkcode BacklogBudget} with others. */
export interface SharedBacklog {
  /** What it takes, or keeps others from using: those with the most pay first. */
  readonly claimedBytes: number;
  /** Leaves out what waits longest until it claims no more than this many bytes. */
  shrinkTo(bytes: number): void;
}

/**
 * What the backlogs of all connections may take together. When there is no room, the largest pay:
 * all backlogs above one level are cut down to it, and those below it stay as they are.
 */
export class BacklogBudget {
  /** For what several of them wait for: it is there once. */
  readonly shared: ChunkStore;
  readonly #budget: Budget;
  readonly #backlogs = new Set<SharedBacklog>();
  /** Lists of frames, and how many backlogs have each. */
  readonly #lists = new Map<readonly Uint8Array[], number>();

  /** @param maxBytes The most that all of them may take. */
  constructor(maxBytes: number) {
    this.#budget = new Budget("backlogs", maxBytes);
    const count = (bytes: number) => this.count(bytes);
    this.shared = new ChunkStore(SHARED_CHUNK_BYTES, SHARED_CHUNK_BYTES, count);
  }

  /** What all of them take. */
  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** How many backlogs there are. */
  get size(): number {
    return this.#backlogs.size;
  }

  /** Adds a backlog, which takes nothing. */
  add(backlog: SharedBacklog): void {
    this.#backlogs.add(backlog);
  }

  /** Removes a backlog, which takes nothing any more. */
  delete(backlog: SharedBacklog): void {
    this.#backlogs.delete(backlog);
  }

  /** Counts what a backlog takes more, or less. */
  count(bytes: number): void {
    this.#budget.take(bytes);
  }

  /** Counts a list of frames that a backlog has: once, however many have it. */
  holdList(frames: readonly Uint8Array[]): void {
    const holders = this.#lists.get(frames) ?? 0;
    if (holders === 0) this.count(frames.length * REFERENCE_BYTES);
    this.#lists.set(frames, holders + 1);
  }

  /** Ends one {@linkcode BacklogBudget.holdList}. */
  releaseList(frames: readonly Uint8Array[]): void {
    const holders = this.#lists.get(frames)! - 1;
    if (holders > 0) return void this.#lists.set(frames, holders);
    this.#lists.delete(frames);
    this.count(-frames.length * REFERENCE_BYTES);
  }

  /** Makes room, if too much is taken. */
  relieve(): void {
    if (!this.#budget.isOver) return;
    const { maxBytes } = this.#budget;
    const target = maxBytes - Math.min(maxBytes * RELIEVED_SHARE, RELIEVED_BYTES);
    // What several share is free only once the last of them has left it out: then more is cut.
    for (let factor = 1;; factor *= CUT_MORE) {
      const level = this.#level((this.usedBytes - target) * factor);
      for (const backlog of this.#backlogs) {
        if (backlog.claimedBytes > level) backlog.shrinkTo(level);
      }
      if (this.usedBytes <= target + 1 || level < LEAST_LEVEL) return;
    }
  }

  /** The size to which backlogs have to be cut, so that all together claim `excess` bytes less. */
  #level(excess: number): number {
    const sizes = Float64Array.from(this.#backlogs, ({ claimedBytes }) => claimedBytes);
    sizes.sort().reverse();
    for (let i = 0; i < sizes.length; i++) {
      // This is freed by cutting the largest i + 1 backlogs down to the size of the next.
      const given = (sizes[i]! - (sizes[i + 1] ?? 0)) * (i + 1);
      if (given >= excess) return sizes[i]! - excess / (i + 1);
      excess -= given;
    }
    return 0;
  }
}
