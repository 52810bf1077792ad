/**
 * Process groups whose command has ended. Processes in them that ignore SIGTERM may still run; they
 * are killed some time later, by one `kill` for all groups that ended meanwhile: there may be many
 * commands, and few leave anything running.
 */
export class EndedGroups {
  readonly #graceMs: number;
  readonly #kill: (groups: readonly number[]) => Promise<void>;
  /** Those that ended before the timer was set, and those that ended since. */
  #due = new Set<number>();
  #later = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param graceMs What is left of a group is killed when this time has passed, and before twice of
   * it has.
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

  /** Takes the groups that may still have processes: the caller kills them itself. */
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
    // The timer keeps no program running: one that ends kills the groups itself.
    Deno.unrefTimer(this.#timer);
  }
}
