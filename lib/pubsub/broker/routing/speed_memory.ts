import { Budget } from "../../../base/budget.ts";

/** What keeps things only to be faster. */
export interface Forgetful {
  /** Forgets everything, and gives its memory back. */
  forget(): void;
}

/**
 * The memory of a broker for what it keeps only to be faster: routes, and what headers ask for. When
 * it is used up, everything is forgotten: what is needed is soon there again.
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

  /** Adds one that will take memory. */
  add(user: Forgetful): void {
    this.#users.add(user);
  }

  /** Has one forget everything, for good. */
  delete(user: Forgetful): void {
    user.forget();
    this.#users.delete(user);
  }

  /** Takes bytes, for which all may have to forget; `false` if there never are so many. */
  tryTake(bytes: number): boolean {
    if (this.#budget.tryTake(bytes)) return true;
    this.#forget();
    return this.#budget.tryTake(bytes);
  }

  /** Takes bytes for what has to be kept; all forget if it exceeds what may be taken. */
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
