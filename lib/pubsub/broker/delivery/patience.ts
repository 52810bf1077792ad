import type { Pace, Paced } from "./pace.ts";
import { PeriodicLook } from "../../../base/periodic_look.ts";

/** How often connections that publishers wait for are looked at. */
const TICK_MS = 10;

/** The share of elapsed time by which the blocking time charged to a connection decays. */
const DECAY = 0.1;

/** A connection that publishers may have to wait for. */
export interface Congestible extends Paced {
  /** How many of its subscriptions have the policy `block`. */
  readonly blocking: number;
  /** How many have a policy with which nobody waits for long: `latest`, `disconnect`. */
  readonly hasty: number;
}

/** One publisher that waits for some of the connections to which it has just published. */
interface Hold<C extends Congestible> {
  /** What all its receivers take. */
  readonly pace: Pace<C> | undefined;
  /** For how many of them it still waits. */
  waiting: number;
  /** Lets the publisher go on. */
  readonly resume: () => void;
}

/** What is known of a connection that publishers waited for at least once. */
interface Account<C extends Congestible> {
  /** The publishers that wait for it. */
  holds: Hold<C>[];
  /** The blocking time charged to it, in milliseconds, as of `at`. */
  chargedMs: number;
  /** In milliseconds of `performance.now()`. */
  at: number;
  /** Whether publishers do not wait for it any more, until it has caught up. */
  exhausted: boolean;
}

/**
 * Makes publishers wait, for a limited time, for connections that do not keep up.
 *
 * A connection is charged for the time during which it blocks a publisher, unless that should go at
 * its receivers' {@linkcode Pace}. Once the limit is charged, publishers stop waiting for the
 * connection until it has caught up. The charge decays by 10 % of elapsed time.
 *
 * So where all receivers together are slower than a publisher, the publisher goes at their pace;
 * and where one is slower than the others, it makes them wait for at most a tenth of the time.
 */
export class Patience<C extends Congestible> {
  readonly #limitMs: number;
  readonly #onExhausted: (connection: C) => void;
  readonly #accounts = new WeakMap<C, Account<C>>();
  /** The accounts with holds. */
  readonly #held = new Map<C, Account<C>>();
  readonly #looking = new PeriodicLook(TICK_MS, (now) => this.#look(now));

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

  /** Whether publishers still wait for a connection that is congested. */
  has(connection: C): boolean {
    return connection.blocking > 0 || !this.#accounts.get(connection)?.exhausted;
  }

  /**
   * Waits until each of the connections has caught up, or patience with it is exhausted.
   *
   * @param congested Those to wait for.
   * @param pace That of the publisher; without one, patience has its limit.
   */
  wait(congested: readonly C[], pace?: Pace<C>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const hold: Hold<C> = { pace, waiting: congested.length, resume: resolve };
    const now = performance.now();
    pace?.wait(now);
    for (const connection of congested) this.#accountOf(connection, now).holds.push(hold);
    this.#looking.start();
    return promise;
  }

  /** A connection has caught up, or is closed: nobody waits for it any more. */
  relieved(connection: C): void {
    const account = this.#accounts.get(connection);
    if (account === undefined) return;
    account.exhausted = false;
    this.#release(connection, account);
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

  #release(connection: C, account: Account<C>): void {
    const { holds } = account;
    if (holds.length === 0) return;
    account.holds = [];
    this.#held.delete(connection);
    for (const hold of holds) {
      if (--hold.waiting === 0) hold.resume();
    }
    if (this.#held.size === 0) this.#looking.stop();
  }

  #look(now: number): void {
    for (const [connection, account] of this.#held) {
      const isShared = connection.hasty === 0 &&
        account.holds.every(({ pace }) => pace?.isShared(now));
      if (connection.blocking === 0 && !isShared) account.chargedMs += now - account.at;
      account.at = now;
      if (account.chargedMs < this.#limitMs) continue;
      account.exhausted = true;
      this.#release(connection, account);
      this.#onExhausted(connection);
    }
  }
}
