import { formatCount } from "../../lib/base/units.ts";
import type { ProxyCloseReason } from "../../lib/proxy/mod.ts";
import { describeError, type Log } from "../_cli/mod.ts";
import { RepeatedWarnings } from "../_cli/repeated_warnings.ts";

/** Warns of connections that came to nothing, by the reason. With `-v` it tells of each. */
export class FailedConnections implements Disposable {
  readonly #log: Log;
  readonly #warnings: RepeatedWarnings;
  readonly #what: string;

  /** @param what What stands between client and server: `proxy` or `tap`. */
  constructor(log: Log, what: string, intervalMs?: number) {
    this.#log = log;
    this.#warnings = new RepeatedWarnings(log, intervalMs);
    this.#what = what;
  }

  /** Tells of one that is closed. @returns whether it is such a connection. */
  closed(connection: number, reason: ProxyCloseReason, error: unknown): boolean {
    const why = this.#why(reason, error);
    if (why === undefined) return false;
    const first = () => `connection ${connection}: ${why}`;
    const fields = { connection };
    if (this.#log.level === "verbose") this.#log.warn(first(), fields);
    else this.#warnings.add(why, { others: why, first, more: (count) => more(count, why) }, fields);
    return true;
  }

  /** Tells nothing more. */
  [Symbol.dispose](): void {
    this.#warnings[Symbol.dispose]();
  }

  #why(reason: ProxyCloseReason, error: unknown): string | undefined {
    switch (reason) {
      case "unreachable":
        return describeError(error);
      case "loop":
        return `it comes from this ${this.#what} itself: the upstream leads back to it`;
      case "refused":
        return "refused: too many connections";
      default:
        return undefined;
    }
  }
}

function more(count: number, why: string): string {
  return `${formatCount(count, "more connection")}: ${why}`;
}
