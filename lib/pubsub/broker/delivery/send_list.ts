import type { Outbox, OutboxObserver } from "./outbox.ts";
import { BacklogBudget } from "./backlog_budget.ts";
import { Patience } from "./patience.ts";

/**
 * The outboxes of a broker that have something to send. They enter themselves while publications
 * are handed out; {@linkcode SendList.flush} sends what they have, with one write for each.
 */
export class SendList implements OutboxObserver {
  readonly backlogs: BacklogBudget;
  readonly #patience: Patience<Outbox>;
  readonly #filled: Outbox[] = [];
  #overflowed: Outbox[] = [];

  /**
   * Begins empty.
   *
   * @param patienceMs How long publishers wait for one connection that does not keep up.
   * @param maxBacklogBytes What the backlogs of all connections may take.
   */
  constructor(patienceMs: number, maxBacklogBytes: number) {
    this.backlogs = new BacklogBudget(maxBacklogBytes);
    this.#patience = new Patience(patienceMs, (outbox) => outbox.owner.tooSlow());
  }

  /**
   * Starts to send what was handed out since the last call.
   *
   * @returns What the publisher should wait for; `undefined` if all receivers keep up.
   */
  flush(): Promise<void> | undefined {
    if (this.#overflowed.length > 0) this.#endOverflowed();
    const filled = this.#filled;
    const receivers = filled.length;
    if (receivers === 0) return undefined;
    let congested: Outbox[] | undefined;
    for (let i = 0; i < receivers; i++) {
      const outbox = filled[i]!;
      outbox.flush();
      if (outbox.congested && this.#patience.has(outbox)) (congested ??= []).push(outbox);
    }
    filled.length = 0;
    return congested && this.#patience.wait(congested, receivers);
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
