import { Budget } from "../../../base/budget.ts";

/** When there is no room, backlogs shrink until they use this share of the whole. */
const RELIEVED_SHARE = 7 / 8;

/** A backlog that shares a {@linkcode BacklogBudget} with others. */
export interface SharedBacklog {
  /** What it takes. */
  readonly bytes: number;
  /** Leaves out what waits longest until it takes no more than this many bytes. */
  shrinkTo(bytes: number): void;
}

/**
 * What the backlogs of all connections may take together. When there is no room, the largest pay:
 * all backlogs above one level are cut down to it, and those below it stay as they are.
 */
export class BacklogBudget {
  readonly #budget: Budget;
  readonly #backlogs = new Set<SharedBacklog>();

  /** @param maxBytes The most that all of them may take. */
  constructor(maxBytes: number) {
    this.#budget = new Budget("backlogs", maxBytes);
  }

  /** What all of them take. */
  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Whether there is no backlog. */
  get isEmpty(): boolean {
    return this.#backlogs.size === 0;
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

  /** Makes room, if too much is taken. */
  relieve(): void {
    if (!this.#budget.isOver) return;
    const level = this.#level(this.#budget.maxBytes * RELIEVED_SHARE);
    for (const backlog of this.#backlogs) {
      if (backlog.bytes > level) backlog.shrinkTo(level);
    }
  }

  /** To what size backlogs have to be cut so that all together take this many bytes. */
  #level(target: number): number {
    const sizes = [...this.#backlogs].map(({ bytes }) => bytes).sort((a, b) => b - a);
    let excess = this.usedBytes - target;
    for (let i = 0; i < sizes.length; i++) {
      // This is freed by cutting the largest i + 1 backlogs down to the size of the next.
      const given = (sizes[i]! - (sizes[i + 1] ?? 0)) * (i + 1);
      if (given >= excess) return sizes[i]! - excess / (i + 1);
      excess -= given;
    }
    return 0;
  }
}
