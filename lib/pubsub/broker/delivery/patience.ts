import type { Outbox } from "./outbox.ts";

/** How often those that wait are looked at. */
const TICK_MS = 10;

/** Of the time that passes, what a connection may make publishers wait over and over. */
const REGAINED = 0.1;

/** A publisher that waits for some of the connections which it just published to. */
export interface Hold {
  /** To how many connections it published. */
  readonly receivers: number;
  /** How many of them it waits for. */
  waiting: number;
  /** Lets it go on. */
  readonly resume: () => void;
}

/** What is known of a connection that publishers wait for. */
export interface Held {
  holds: Hold[];
  /** For how many milliseconds it is to blame; they are forgotten bit by bit. */
  ms: number;
  /** When that was true, in milliseconds of `performance.now()`. */
  at: number;
  /** Bytes that its socket had taken at the last look. */
  writtenBytes: number;
}

/**
 * Makes publishers wait, for a while, for connections that do not keep up.
 *
 * A connection is charged for the time in which it holds publishers up although three quarters of
 * those who receive the same have room, or in which it takes no byte at all. So where all
 * receivers together are slower than the publisher, the publisher goes at their pace; where one is
 * slower than the others, the others wait for it a tenth of the time at most, and go on.
 */
export class Patience {
  readonly #limitMs: number;
  readonly #onEnd: (outbox: Outbox) => void;
  readonly #held = new Set<Outbox>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * Holds nobody up at first.
   *
   * @param limitMs For so long publishers wait for one connection.
   * @param onEnd Is told when patience with a connection has ended.
   */
  constructor(limitMs: number, onEnd: (outbox: Outbox) => void) {
    this.#limitMs = limitMs;
    this.#onEnd = onEnd;
  }

  /**
   * Waits until none of the connections is congested any more, or patience with them has ended.
   *
   * @param outboxes Those that are congested.
   * @param receivers How many got the same publications.
   */
  wait(outboxes: readonly Outbox[], receivers: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold = { receivers, waiting: outboxes.length, resume: resolve };
    const now = performance.now();
    for (const outbox of outboxes) {
      const { held } = outbox;
      if (held.holds.length === 0) {
        held.ms = Math.max(0, held.ms - (now - held.at) * REGAINED);
        held.at = now;
        held.writtenBytes = outbox.writtenBytes;
        this.#held.add(outbox);
      }
      held.holds.push(hold);
    }
    this.#timer ??= setInterval(() => this.#look(), TICK_MS);
    return promise;
  }

  /** Lets the publishers go on that wait for this connection alone. */
  release(outbox: Outbox): void {
    const { holds } = outbox.held;
    if (holds.length === 0) return;
    outbox.held.holds = [];
    this.#held.delete(outbox);
    for (const hold of holds) {
      if (--hold.waiting === 0) hold.resume();
    }
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const outbox of this.#held) {
      const { held } = outbox;
      const stalled = outbox.writtenBytes === held.writtenBytes;
      if (outbox.blocking === 0 && (stalled || held.holds.some(isHeldByFew))) {
        held.ms += now - held.at;
      }
      held.at = now;
      held.writtenBytes = outbox.writtenBytes;
      if (held.ms < this.#limitMs) continue;
      outbox.patient = false;
      this.release(outbox);
      this.#onEnd(outbox);
    }
  }
}

function isHeldByFew({ receivers, waiting }: Hold): boolean {
  return (receivers - waiting) * 4 >= (receivers - 1) * 3;
}
