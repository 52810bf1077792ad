import type { ProxiedConnection, ProxyCloseReason, ProxyObserver } from "../../lib/proxy/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import {
  type Context,
  describeError,
  formatBytes,
  formatDuration,
  jsonSeconds,
  logAcceptFailure,
} from "../_cli/mod.ts";

/** An observer that tells of a proxy's connections: by lines on stderr, or as JSON on stdout. */
export function connectionReport({ out, log }: Context, json: boolean): ProxyObserver {
  return {
    opened(connection) {
      const { id, client, upstream } = connection;
      const [from, to] = [formatAddress(client), formatAddress(upstream)];
      if (json) out.json({ type: "opened", connection: id, client: from, upstream: to });
      else log.detail(`connection ${id}: ${from} to ${to}`, { connection: id });
    },
    halfClosed({ id }, direction) {
      if (json) out.json({ type: "half-closed", connection: id, direction });
    },
    reset({ id }, by) {
      if (json) out.json({ type: "reset", connection: id, by });
    },
    closed(connection, reason, error) {
      const { id } = connection;
      if (json) out.json(closedObject(connection, reason, error));
      const why = WHY[reason];
      const about = { connection: id };
      if (reason === "unreachable") {
        log.warn(`connection ${id}: ${describeError(error)}`, about);
      } else if (reason === "loop" || reason === "refused") {
        log.warn(`connection ${id}: ${why}`, about);
      } else if (log.level === "verbose") log.detail(closedLine(connection, why), about);
    },
    acceptFailed: (error) => logAcceptFailure(log, error),
  };
}

const WHY: Readonly<Partial<Record<ProxyCloseReason, string>>> = {
  reset: "reset",
  loop: "it comes from this proxy itself: the upstream leads back to it",
  refused: "refused: too many connections",
  drained: "the proxy ends",
  forced: "the proxy ends, out of time",
};

function closedLine(connection: ProxiedConnection, why: string | undefined): string {
  const { id, upBytes, downBytes, openedAt } = connection;
  return `connection ${id}: closed after ${formatDuration(performance.now() - openedAt)}, ` +
    `${formatBytes(upBytes)} up, ${formatBytes(downBytes)} down` +
    (why === undefined ? "" : ` (${why})`);
}

function closedObject(
  connection: ProxiedConnection,
  reason: ProxyCloseReason,
  error: unknown,
): object {
  const { id, upBytes, downBytes, openedAt } = connection;
  return {
    type: "closed",
    connection: id,
    reason,
    bytes_up: upBytes,
    bytes_down: downBytes,
    duration_s: jsonSeconds(performance.now() - openedAt),
    ...(error === undefined ? {} : { error: describeError(error) }),
  };
}
