import { Budget } from "../../../base/budget.ts";

/** A cache. */
export interface Forgetful {
  /** Forgets everything, and gives its memory back. */
  forget(): void;
}

/**
 * The memory that a broker's caches share: of routes, and of what headers ask for. When it is used
 * up, all caches are emptied: what is needed is soon there again.
 */
export class SpeedMemory {
  readonly #budget: Budget;
  readonly #users = new Set<Forgetful>();

  /** @param maxBytes What may be taken. */
  constructor(maxBytes: number) {
    this.#budget = new Budget("what is kept to be faster", maxBytes);
  }

  /** How many bytes are taken. */
  get usedBytes(): number {
    return this.#budget.usedBytes;
  }

  /** Adds a cache, which will take memory. */
  add(user: Forgetful): void {
    this.#users.add(user);
  }

  /** Empties a cache, and removes it. */
  delete(user: Forgetful): void {
    user.forget();
    this.#users.delete(user);
  }

  /**
   * Takes bytes, for which all caches may have to be emptied; `false` if even that is not enough.
   */
  tryTake(bytes: number): boolean {
    if (this.#budget.tryTake(bytes)) return true;
    this.#forget();
    return this.#budget.tryTake(bytes);
  }

  /** Takes bytes for what has to be kept; all caches are emptied if that exceeds the limit. */
  take(bytes: number): void {
    if (this.#budget.refusing(bytes)) this.#forget();
    this.#budget.take(bytes);
  }

  /** Gives bytes back. */
  give(bytes: number): void {
    this.#budget.give(bytes);
  }

  #forget(): void {
    for (const user of this.#users) user.forget();
  }
}
