/** Who has a limit in time. */
export interface Limited {
  /** When it ends, in milliseconds of `performance.now()`. */
  readonly endsAt: number;
  /** The time is up; it is not watched any more. */
  expired(): void;
}

/** The least time between two looks: many limits that end at nearly the same time are one look. */
const LEAST_WAIT_MS = 5;

/**
 * Limits in time of many short-lived things, with one timer for all: most of them are done long
 * before, and a timer for each would cost more than to send the request that it limits.
 */
export class Deadlines {
  readonly #watched = new Set<Limited>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer fires. */
  #firesAt = Infinity;

  /** Watches something until its time is up. */
  add(limited: Limited): void {
    this.#watched.add(limited);
    if (limited.endsAt < this.#firesAt) this.#set(limited.endsAt);
  }

  /** Does not watch something any more. The timer stays: what comes next likely ends after it. */
  delete(limited: Limited): void {
    this.#watched.delete(limited);
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#watched.clear();
    clearTimeout(this.#timer);
    this.#firesAt = Infinity;
  }

  #set(at: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = at;
    this.#timer = setTimeout(() => this.#look(), Math.max(0, at - performance.now()));
  }

  #look(): void {
    this.#firesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const limited of this.#watched) {
      if (limited.endsAt <= now) {
        this.#watched.delete(limited);
        limited.expired();
      } else if (limited.endsAt < next) next = limited.endsAt;
    }
    // All may have been stopped when one expired.
    if (this.#watched.size > 0 && next < this.#firesAt) {
      this.#set(Math.max(next, now + LEAST_WAIT_MS));
    }
  }
}
