import { inSteps } from "../../../base/in_steps.ts";
import type { Outbox, OutboxObserver } from "./outbox.ts";
import { BacklogBudget } from "./backlog_budget.ts";
import type { Pace } from "./pace.ts";
import { Patience } from "./patience.ts";

/** So many outboxes are flushed in one go: each takes 5 to 10 µs. */
const MAX_AT_ONCE = 200;

/** How many are flushed between two looks at the clock. */
const PART = 10;

/**
 * The outboxes of a broker that have something to send. They enter themselves while publications
 * are handed out; {@linkcode SendList.flush} sends what they have, with one write for each.
 */
export class SendList implements OutboxObserver {
  readonly backlogs: BacklogBudget;
  readonly #patience: Patience<Outbox>;
  readonly #pause: () => Promise<void> | undefined;
  #filled: Outbox[] = [];
  #overflowed: Outbox[] = [];

  /**
   * Begins empty.
   *
   * @param patienceMs How long publishers wait for one connection that does not keep up.
   * @param maxBacklogBytes What the backlogs of all connections may take.
   * @param pause Lets others be served while very many outboxes are flushed.
   */
  constructor(
    patienceMs: number,
    maxBacklogBytes: number,
    pause: () => Promise<void> | undefined,
  ) {
    this.#pause = pause;
    this.backlogs = new BacklogBudget(maxBacklogBytes);
    this.#patience = new Patience(patienceMs, (outbox) => outbox.owner.tooSlow());
  }

  /**
   * Starts to send what was handed out since the last call.
   *
   * @param pace That of the publisher whose publications were handed out.
   * @returns What the publisher should wait for; `undefined` if all receivers keep up.
   */
  flush(pace?: Pace<Outbox>): Promise<void> | undefined {
    if (this.#overflowed.length > 0) this.#endOverflowed();
    const filled = this.#filled;
    const receivers = filled.length;
    if (receivers === 0) return undefined;
    if (receivers > MAX_AT_ONCE) {
      this.#filled = [];
      return this.#flushInSteps(filled, pace);
    }
    const now = performance.now();
    let congested: Outbox[] | undefined;
    for (let i = 0; i < receivers; i++) {
      const outbox = filled[i]!;
      if (this.#flush(outbox, pace, now)) (congested ??= []).push(outbox);
    }
    filled.length = 0;
    return congested && this.#patience.wait(congested, pace);
  }

  /** Flushes one. Returns whether the publisher should wait for it. */
  #flush(outbox: Outbox, pace: Pace<Outbox> | undefined, now: number): boolean {
    if (outbox.fed) pace?.published(outbox, now);
    outbox.flush();
    return outbox.congested && this.#patience.has(outbox);
  }

  /** What is handed out meanwhile has a list of its own, and does not wait for this one. */
  async #flushInSteps(filled: readonly Outbox[], pace?: Pace<Outbox>): Promise<void> {
    const now = performance.now();
    const congested: Outbox[] = [];
    let next = 0;
    await inSteps(() => {
      for (const end = Math.min(next + PART, filled.length); next < end; next++) {
        const outbox = filled[next]!;
        if (this.#flush(outbox, pace, now)) congested.push(outbox);
      }
      return next === filled.length;
    }, this.#pause);
    // Some of them may have caught up, or be closed.
    const waiting = congested.filter((outbox) => outbox.congested);
    if (waiting.length > 0) await this.#patience.wait(waiting, pace);
  }

  filled(outbox: Outbox): void {
    this.#filled.push(outbox);
  }

  relieved(outbox: Outbox): void {
    this.#patience.relieved(outbox);
  }

  overflowed(outbox: Outbox): void {
    this.#overflowed.push(outbox);
  }

  #endOverflowed(): void {
    const overflowed = this.#overflowed;
    this.#overflowed = [];
    for (const outbox of overflowed) outbox.owner.overflowed();
  }
}
