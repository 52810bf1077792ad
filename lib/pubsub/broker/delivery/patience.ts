import type { Pace, Paced } from "./pace.ts";
import { MAX_LOOK_MS } from "./taken_rate.ts";
import { PeriodicLook } from "../../../base/periodic_look.ts";

/** How often connections that publishers wait for are looked at. */
const TICK_MS = 10;

/** The share of elapsed time by which the blocking time charged to a connection decays. */
const DECAY = 0.1;

/** One publisher that waits for some of the connections to which it publishes. */
interface Hold<C extends Paced> {
  /** How long it waits for them. */
  readonly pace: Pace<C>;
  /** For how many of them it still waits. */
  waiting: number;
  /** Lets the publisher go on. */
  readonly resume: () => void;
}

/** What is known of a connection that publishers waited for at least once. */
interface Account<C extends Paced> {
  /** The publishers that wait for it. */
  holds: Hold<C>[];
  /** The blocking time charged to it, in milliseconds, as of `at`. */
  chargedMs: number;
  /** In milliseconds of `performance.now()`. */
  at: number;
  /** Whether publishers do not wait for it any more, but at their pace, until it has caught up. */
  exhausted: boolean;
}

/**
 * Makes publishers wait for connections that do not keep up: without a limit where the publisher's
 * {@linkcode Pace} says so, else for a limited time.
 *
 * A connection is charged for the time during which it blocks a publisher that does not wait at its
 * receivers' pace. Once the limit is charged, such publishers stop waiting for the connection until
 * it has caught up. The charge decays by 10 % of elapsed time.
 *
 * So where all receivers together are slower than a publisher, the publisher goes at their pace;
 * and where one is slower than the others, it makes them wait for at most a tenth of the time.
 */
export class Patience<C extends Paced> {
  readonly #limitMs: number;
  readonly #onExhausted: (connection: C) => void;
  readonly #accounts = new WeakMap<C, Account<C>>();
  /** The accounts with holds. */
  readonly #held = new Map<C, Account<C>>();
  readonly #looking = new PeriodicLook(TICK_MS, (now) => this.look(now));

  /**
   * Nobody waits at first.
   *
   * @param limitMs How much blocking time may be charged to a connection.
   * @param onExhausted Is called when publishers stop waiting for a connection.
   */
  constructor(limitMs: number, onExhausted: (connection: C) => void) {
    this.#limitMs = limitMs;
    this.#onExhausted = onExhausted;
  }

  /**
   * Waits until each of the connections has caught up, or it is not waited for any more.
   *
   * @param congested Those that the publisher's next publications are for, or its last ones were.
   * @param pace How long the publisher waits.
   * @returns `undefined` if it should not wait for any of them.
   */
  wait(congested: readonly C[], pace: Pace<C>, now: number): Promise<void> | undefined {
    pace.begin(now);
    const awaited = congested.filter((connection) =>
      !this.#accounts.get(connection)?.exhausted || pace.waitsFor(connection, now)
    );
    if (awaited.length === 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold: Hold<C> = { pace, waiting: awaited.length, resume: resolve };
    for (const connection of awaited) this.#accountOf(connection, now).holds.push(hold);
    this.#looking.start();
    return promise;
  }

  /** A connection has caught up, or is closed: nobody waits for it any more. */
  relieved(connection: C): void {
    const account = this.#accounts.get(connection);
    if (account === undefined) return;
    account.exhausted = false;
    this.#release(connection, account, account.holds, []);
  }

  /** Charges connections for the time since the last look; called every 10 ms while any has holds. */
  look(now: number): void {
    for (const [connection, account] of this.#held) {
      const unbounded: Hold<C>[] = [];
      const bounded: Hold<C>[] = [];
      for (const hold of account.holds) {
        (hold.pace.waitsFor(connection, now) ? unbounded : bounded).push(hold);
      }
      if (bounded.length > 0) account.chargedMs += Math.min(now - account.at, MAX_LOOK_MS);
      account.at = now;
      if (bounded.length === 0 || account.chargedMs < this.#limitMs) continue;
      const isNew = !account.exhausted;
      account.exhausted = true;
      this.#release(connection, account, bounded, unbounded);
      if (isNew) this.#onExhausted(connection);
    }
  }

  /** The account of a connection that is about to get a hold. */
  #accountOf(connection: C, now: number): Account<C> {
    let account = this.#accounts.get(connection);
    if (account === undefined) {
      account = { holds: [], chargedMs: 0, at: now, exhausted: false };
      this.#accounts.set(connection, account);
    }
    if (account.holds.length === 0) {
      account.chargedMs = Math.max(0, account.chargedMs - (now - account.at) * DECAY);
      account.at = now;
      this.#held.set(connection, account);
    }
    return account;
  }

  #release(
    connection: C,
    account: Account<C>,
    released: readonly Hold<C>[],
    kept: Hold<C>[],
  ): void {
    if (account.holds.length === 0) return;
    account.holds = kept;
    if (kept.length === 0) this.#held.delete(connection);
    for (const hold of released) {
      if (--hold.waiting === 0) hold.resume();
    }
    if (this.#held.size === 0) this.#looking.stop();
  }
}
