import type { ProxiedConnection, ProxyCloseReason, ProxyObserver } from "../../lib/proxy/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import {
  type Context,
  describeError,
  formatBytes,
  formatDuration,
  jsonSeconds,
  logAcceptFailures,
  type LossyOutput,
} from "../_cli/mod.ts";
import { FailedConnections } from "./failed_connections.ts";

/**
 * An observer that tells of a proxy's connections.
 *
 * @param events Where they are printed as JSON; without it lines go to stderr.
 */
export function connectionReport({ log }: Context, events?: LossyOutput): ProxyObserver {
  const failed = new FailedConnections(log, "proxy");
  return {
    opened(connection) {
      const { id, client, upstream } = connection;
      const [from, to] = [formatAddress(client), formatAddress(upstream)];
      if (events) events.print({ type: "opened", connection: id, client: from, upstream: to });
      else log.detail(`connection ${id}: ${from} to ${to}`, { connection: id });
    },
    halfClosed({ id }, direction) {
      events?.print({ type: "half-closed", connection: id, direction });
    },
    reset({ id }, by) {
      events?.print({ type: "reset", connection: id, by });
    },
    closed(connection, reason, error) {
      const { id } = connection;
      events?.print(closedObject(connection, reason, error));
      if (failed.closed(id, reason, error) || log.level !== "verbose") return;
      log.detail(closedLine(connection, WHY[reason]), { connection: id });
    },
    acceptFailed: logAcceptFailures(log),
  };
}

const WHY: Readonly<Partial<Record<ProxyCloseReason, string>>> = {
  reset: "reset",
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
