/** For how long somebody counts as a receiver of a publisher, after the last publication. */
const WINDOW_MS = 1_000;

/** What all receivers together have to take for a publisher to go at their pace, in bytes. */
const LEAST_BYTES_PER_MS = 65_536 / 1_000;

/** How much of it they may have taken in advance, and how much they are trusted with at first. */
const MAX_CREDIT_BYTES = 65_536;
const FIRST_CREDIT_BYTES = 16_384;

/** A connection that gets publications. */
export interface Paced {
  /** Whether so much waits for it that publishers should wait too. */
  readonly congested: boolean;
  /** How many bytes its socket has taken. */
  readonly writtenBytes: number;
}

/** What is known of a receiver. */
interface Recent {
  publishedAt: number;
  writtenBytes: number;
}

/**
 * Whether one publisher should go at its receivers' pace, without a limit in time: if all to whom it
 * published within the last second are behind, so that nobody is waiting for more, and if together
 * they take at least 64 KiB/s. So what goes one-to-one is not lost because the receiver is slower,
 * and who takes a byte now and then stops nobody.
 */
export class Pace<C extends Paced> {
  readonly #recent = new Map<C, Recent>();
  #creditBytes = FIRST_CREDIT_BYTES;
  /** When the receivers were last looked at, in milliseconds of `performance.now()`. */
  #lookedAt = -Infinity;
  #forgotAt = 0;
  #isShared = false;

  /** Notes that a connection got a publication. */
  published(connection: C, now: number): void {
    const known = this.#recent.get(connection);
    if (known) known.publishedAt = now;
    else {
      const { writtenBytes } = connection;
      this.#recent.set(connection, { publishedAt: now, writtenBytes });
    }
    if (now - this.#forgotAt > WINDOW_MS) this.#forget(now);
  }

  /** Called when the publisher begins to wait: its receivers are now those of the last second. */
  wait(now: number): void {
    this.#forget(now);
    this.#takeNote();
    this.#lookedAt = now;
  }

  /** Whether the publisher should go on waiting; asked every few milliseconds while it does. */
  isShared(now: number): boolean {
    // It may wait for several receivers, each of which asks.
    if (now === this.#lookedAt) return this.#isShared;
    this.#takeNote();
    this.#creditBytes -= LEAST_BYTES_PER_MS * (now - this.#lookedAt);
    this.#lookedAt = now;
    return this.#isShared = this.#areBehind() && this.#creditBytes >= 0;
  }

  #areBehind(): boolean {
    for (const connection of this.#recent.keys()) if (!connection.congested) return false;
    return true;
  }

  /** Credits what the receivers have taken since the last time. */
  #takeNote(): void {
    let taken = Math.max(0, this.#creditBytes);
    for (const [connection, recent] of this.#recent) {
      taken += connection.writtenBytes - recent.writtenBytes;
      recent.writtenBytes = connection.writtenBytes;
    }
    this.#creditBytes = Math.min(MAX_CREDIT_BYTES, taken);
  }

  #forget(now: number): void {
    this.#forgotAt = now;
    for (const [connection, { publishedAt }] of this.#recent) {
      if (now - publishedAt > WINDOW_MS) this.#recent.delete(connection);
    }
  }
}
