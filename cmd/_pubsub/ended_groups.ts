/**
 * Process groups whose command has ended. Processes that ignore SIGTERM may be left of them, and are
 * killed some time later: by one process for all groups that ended meanwhile, because commands may
 * be many, and hardly one leaves anything behind.
 */
export class EndedGroups {
  readonly #graceMs: number;
  readonly #kill: (groups: readonly number[]) => Promise<void>;
  /** Those that ended before the timer was set, and those that ended since. */
  #due = new Set<number>();
  #later = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param graceMs What is left of a group is killed after this time, and before twice as long has
   * passed.
   * @param kill Kills groups by their numbers. Most are empty.
   */
  constructor(graceMs: number, kill: (groups: readonly number[]) => Promise<void>) {
    this.#graceMs = graceMs;
    this.#kill = kill;
  }

  /** Has what is left of a group killed. */
  add(group: number): void {
    this.#later.add(group);
    this.#wait();
  }

  /** Forgets a number that a new group has: nothing is left of the old one. */
  delete(group: number): void {
    this.#due.delete(group);
    this.#later.delete(group);
  }

  /** Those of which something may be left, for a caller that kills it by itself. */
  take(): number[] {
    const groups = [...this.#due, ...this.#later];
    this.#due.clear();
    this.#later.clear();
    return groups;
  }

  /** Has what is left of all groups killed at once. */
  async killAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const groups = this.take();
    if (groups.length > 0) await this.#kill(groups);
  }

  #wait(): void {
    if (this.#timer !== undefined) return;
    [this.#due, this.#later] = [this.#later, this.#due];
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#due.size > 0) void this.#kill([...this.#due]);
      this.#due.clear();
      if (this.#later.size > 0) this.#wait();
    }, this.#graceMs);
    // A program that ends kills them by itself.
    Deno.unrefTimer(this.#timer);
  }
}
