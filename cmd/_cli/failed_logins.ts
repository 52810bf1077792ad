import type { Credentials } from "../../lib/access/mod.ts";
import type { Log } from "./log.ts";
import { formatCount } from "../../lib/base/units.ts";

/** Failed logins from one address are told this often. */
const INTERVAL_MS = 1_000;

/** The most addresses told apart; further ones share an entry. */
const MAX_ADDRESSES = 1_000;

const MAX_NAME_LENGTH = 64;

/**
 * Warns of failed logins: of each address at once, then at most once a second, with a count of those
 * that were left out.
 */
export class FailedLogins implements Disposable {
  readonly #log: Pick<Log, "warn">;
  readonly #intervalMs: number;
  /** How many were left out since the last warning, by address. */
  readonly #leftOut = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(log: Pick<Log, "warn">, intervalMs = INTERVAL_MS) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** Tells of one. A client that sent no credentials has not tried. */
  add({ token, user }: Credentials, peer: string): void {
    if (token === undefined && user === undefined) return;
    const isKnown = this.#leftOut.has(peer);
    const address = isKnown || this.#leftOut.size < MAX_ADDRESSES ? peer : "other addresses";
    const leftOut = this.#leftOut.get(address);
    if (leftOut !== undefined) return void this.#leftOut.set(address, leftOut + 1);
    const who = token === undefined ? `as ${quoted(user!)}` : "by a token";
    this.#log.warn(`a login from ${address} ${who} failed`);
    this.#wait(address);
  }

  /** Tells nothing more of those that were left out. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #wait(address: string): void {
    this.#leftOut.set(address, 0);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#look(address);
    }, this.#intervalMs);
    this.#timers.add(timer);
    // It does not keep the program running.
    Deno.unrefTimer(timer);
  }

  #look(address: string): void {
    const count = this.#leftOut.get(address)!;
    this.#leftOut.delete(address);
    if (count === 0) return;
    this.#log.warn(`${formatCount(count, "more login")} from ${address} failed`);
    this.#wait(address);
  }
}

/** A name of a client's choice. */
function quoted(name: string): string {
  const isLong = name.length > MAX_NAME_LENGTH;
  return JSON.stringify(isLong ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name);
}
