import type { SlowPolicy } from "../../protocol/slow_policy.ts";
import { TakenRate } from "./taken_rate.ts";

/** How long after its last publication a connection counts as a receiver of the publisher. */
const WINDOW_MS = 1_000;

/** The greater the number, the longer publishers wait. */
const WAITING: Readonly<Record<SlowPolicy, number>> = {
  latest: 0,
  disconnect: 0,
  "drop-oldest": 1,
  "drop-new": 1,
  block: 2,
};

/** Whether publishers wait longer for a receiver with this policy than for one with the other. */
export function waitsLonger(slow: SlowPolicy, than: SlowPolicy): boolean {
  return WAITING[slow] > WAITING[than];
}

/** A connection that gets publications. */
export interface Paced {
  /** Whether so much waits for it that publishers should wait too. */
  readonly congested: boolean;
  /** How many bytes its socket has taken. */
  readonly writtenBytes: number;
  /** How many of them the client says that it has taken; 0 if it does not say. */
  readonly toldBytes: number;
}

/** What is known of a receiver. */
interface Recent {
  publishedAt: number;
  writtenBytes: number;
  toldBytes: number;
  slow: SlowPolicy;
}

/**
 * How long one publisher waits for its receivers. It waits without a bound where the policy is
 * `block`. With `drop-oldest` and `drop-new` it does while all to whom it published within the last
 * second are behind, so that nobody else is waiting for more, and together they take at least 64
 * KiB/s. So what one client sends to one other is not lost because the receiver is slower, and a
 * receiver that takes a byte now and then holds nobody up.
 */
export class Pace<C extends Paced> {
  readonly #recent = new Map<C, Recent>();
  readonly #rate = new TakenRate();
  /** When the receivers were last looked at, in milliseconds of `performance.now()`. */
  #lookedAt = -Infinity;
  #forgotAt = 0;
  #wereBehind = false;
  #isShared = false;

  /** Notes that a connection got a publication, by a subscription with this policy. */
  published(connection: C, slow: SlowPolicy, now: number): void {
    const known = this.#recent.get(connection);
    if (known) {
      known.publishedAt = now;
      known.slow = slow;
    } else {
      const { writtenBytes, toldBytes } = connection;
      this.#recent.set(connection, { publishedAt: now, writtenBytes, toldBytes, slow });
    }
    if (this.#wereBehind && !connection.congested) this.#wereBehind = false;
    if (now - this.#forgotAt > WINDOW_MS) this.#forget(now);
  }

  /** Called when the publisher is about to wait: its receivers are now those of the last second. */
  begin(now: number): void {
    this.#forget(now);
    this.#look(now);
  }

  /**
   * Whether the publisher waits for a connection without a bound; asked before it waits, and every
   * few milliseconds while it does.
   */
  waitsFor(connection: C, now: number): boolean {
    const slow = this.#recent.get(connection)?.slow;
    if (slow === "block") return true;
    if (slow !== "drop-oldest" && slow !== "drop-new") return false;
    // It may wait for several receivers, each of which asks.
    if (now !== this.#lookedAt) this.#look(now);
    return this.#isShared;
  }

  #look(now: number): void {
    const areBehind = this.#areBehind();
    const takenBytes = this.#takenBytes();
    // What they do not take counts only while they are behind: only then is there something to take.
    if (this.#wereBehind && areBehind) this.#rate.add(takenBytes, now - this.#lookedAt);
    else this.#rate.credit(takenBytes);
    this.#isShared = areBehind && this.#rate.isEnough;
    this.#wereBehind = areBehind;
    this.#lookedAt = now;
  }

  #areBehind(): boolean {
    for (const connection of this.#recent.keys()) if (!connection.congested) return false;
    return true;
  }

  /**
   * What the receivers have taken since the last look: their sockets, or they themselves. A socket
   * that is full takes more only once a third of it is free; what a client reads until then, it tells.
   */
  #takenBytes(): number {
    let taken = 0;
    for (const [connection, recent] of this.#recent) {
      const { writtenBytes, toldBytes } = connection;
      taken += Math.max(writtenBytes - recent.writtenBytes, toldBytes - recent.toldBytes);
      recent.writtenBytes = writtenBytes;
      recent.toldBytes = toldBytes;
    }
    return taken;
  }

  #forget(now: number): void {
    this.#forgotAt = now;
    for (const [connection, { publishedAt }] of this.#recent) {
      if (now - publishedAt > WINDOW_MS) this.#recent.delete(connection);
    }
  }
}
