/** Consecutive messages of one connection that share their times, which are of `performance.now()`. */
export interface Run {
  /** When they were due; in a closed loop, when the last answer had come. */
  dueAt: number;
  /** When sending them began; 0 before that. */
  sentAt: number;
  /** How many of them are not answered. */
  count: number;
  /** How many answers each of them lacks; 1 where several share a run. */
  answers: number;
  /** The run behind it. */
  following: Run | undefined;
}

/**
 * The runs of one connection, oldest first: those under way, then those that wait. They are a linked
 * list, in which a run that is sent stays where it is: this is on the way of every message.
 */
export class RunQueue {
  /** The oldest run. */
  #head: Run | undefined;
  #last: Run | undefined;
  /** The first run that waits. Those before it are under way. */
  #waiting: Run | undefined;
  /** A run that is not used any more: a closed loop needs only this one. */
  #spare: Run | undefined;

  /** The oldest run under way; `undefined` if none is. */
  get oldest(): Run | undefined {
    return this.#head === this.#waiting ? undefined : this.#head;
  }

  /** Adds messages that wait. */
  add(dueAt: number, count: number, answers: number): void {
    let run = this.#spare;
    if (run === undefined) run = { dueAt, sentAt: 0, count, answers, following: undefined };
    else {
      this.#spare = run.following = undefined;
      run.dueAt = dueAt;
      run.sentAt = 0;
      run.count = count;
      run.answers = answers;
    }
    if (this.#last === undefined) this.#head = run;
    else this.#last.following = run;
    this.#last = run;
    this.#waiting ??= run;
  }

  /** The first run that waits, cut to `most` messages. It is under way then; there must be one. */
  begin(most: number): Run {
    const run = this.#waiting!;
    if (run.count > most) {
      const rest = { ...run, count: run.count - most };
      if (this.#last === run) this.#last = rest;
      run.following = rest;
      run.count = most;
    }
    this.#waiting = run.following;
    return run;
  }

  /** Takes the oldest run off. */
  shift(): Run | undefined {
    const run = this.#head;
    if (run === undefined) return undefined;
    this.#head = run.following;
    if (this.#waiting === run) this.#waiting = this.#head;
    if (this.#last === run) this.#last = undefined;
    return run;
  }

  /** A run that was taken off is not used any more. */
  recycle(run: Run): void {
    this.#spare = run;
  }
}
