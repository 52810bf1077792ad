/**
 * Counts the bytes that are kept for one purpose or one client, against a maximum. Whoever keeps
 * something takes its size from the budget, and gives it back when the thing is gone. A budget may be
 * part of a larger one: what is taken counts in both.
 *
 * @example
 * ```ts
 * import { Budget } from "./budget.ts";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const server = new Budget("the server", 1_000);
 * const client = new Budget("the client", 600, server);
 * assert(client.tryTake(500));
 * assert(!client.tryTake(200), "above its own bound");
 * assertEquals(server.usedBytes, 500);
 * ```
 */
export class Budget {
  /** For what it is, as messages name it: `filters`, `unfinished frames`. */
  readonly name: string;
  /** The most that may be taken, in bytes. */
  readonly maxBytes: number;
  readonly #whole: Budget | undefined;
  #usedBytes = 0;

  /**
   * @param name For what it is.
   * @param maxBytes The most that may be taken.
   * @param whole The budget that this one is part of.
   */
  constructor(name: string, maxBytes: number, whole?: Budget) {
    this.name = name;
    this.maxBytes = maxBytes;
    this.#whole = whole;
  }

  /** How many bytes are taken. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether more is taken than may be, by {@linkcode Budget.take}. */
  get isOver(): boolean {
    return this.#usedBytes > this.maxBytes;
  }

  /** Takes bytes, if they are to be had here and in the whole; else takes none. */
  tryTake(bytes: number): boolean {
    const has = this.refusing(bytes) === undefined;
    if (has) this.take(bytes);
    return has;
  }

  /** Which budget has no room for that many bytes: this one, or one that it is part of. */
  refusing(bytes: number): Budget | undefined {
    if (this.#usedBytes + bytes > this.maxBytes) return this;
    return this.#whole?.refusing(bytes);
  }

  /** Takes bytes whether they are to be had or not; who does so sees to {@linkcode isOver}. */
  take(bytes: number): void {
    this.#usedBytes += bytes;
    this.#whole?.take(bytes);
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#whole?.give(bytes);
  }
}

/** Something was not kept because there is no room for it in a {@linkcode Budget}. */
export class OverBudgetError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "OverBudgetError";
  /** Always `over-budget`. */
  readonly code = "over-budget";
}
