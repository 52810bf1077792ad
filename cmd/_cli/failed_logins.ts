import type { Credentials } from "../../lib/access/mod.ts";
import type { Log } from "./log.ts";
import { formatCount } from "../../lib/base/units.ts";
import { RepeatedWarnings } from "./repeated_warnings.ts";

const MAX_NAME_LENGTH = 64;

/** Warns of failed logins, by the address from which they come. */
export class FailedLogins implements Disposable {
  readonly #warnings: RepeatedWarnings;

  constructor(log: Pick<Log, "warn">, intervalMs?: number) {
    this.#warnings = new RepeatedWarnings(log, intervalMs);
  }

  /** Tells of one. A client that sent no credentials has not tried. */
  add({ token, user }: Credentials, peer: string): void {
    if (token === undefined && user === undefined) return;
    const who = token === undefined ? `as ${quoted(user!)}` : "by a token";
    this.#warnings.add(peer, {
      others: "other addresses",
      first: (address) => `a login from ${address} ${who} failed`,
      more: (count, address) => `${formatCount(count, "more login")} from ${address} failed`,
    });
  }

  /** Tells nothing more of those that were left out. */
  [Symbol.dispose](): void {
    this.#warnings[Symbol.dispose]();
  }
}

/** A name of a client's choice. */
function quoted(name: string): string {
  const isLong = name.length > MAX_NAME_LENGTH;
  return JSON.stringify(isLong ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name);
}
