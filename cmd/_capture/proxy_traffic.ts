import type {
  Ending,
  RecordedConnection,
  Recorder,
  SeenConnection,
  TrafficObserver,
} from "../../lib/capture/mod.ts";
import { nowUs } from "../../lib/capture/now_us.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import type { ProxiedConnection, ProxyCloseReason, ProxyObserver } from "../../lib/proxy/mod.ts";

/** What is known of a proxied connection. */
interface Watched {
  readonly seen: SeenConnection;
  readonly recorded: RecordedConnection | undefined;
}

/**
 * Tells what passes a proxy to those who show it and who record it, and then to another observer.
 *
 * @param next Is told everything afterwards.
 */
export function proxyTraffic(
  watch: TrafficObserver | undefined,
  recorder: Recorder | undefined,
  next: ProxyObserver,
): ProxyObserver {
  const open = new Map<ProxiedConnection, Watched>();
  return {
    ...next,
    opened(connection) {
      const timeUs = nowUs();
      const { id, client, upstream } = connection;
      const seen = {
        id,
        client: formatAddress(client),
        server: formatAddress(upstream),
        fromStart: true,
        openedUs: timeUs,
      };
      open.set(connection, { seen, recorded: recorder?.open(client, upstream) });
      watch?.opened(seen, timeUs);
      next.opened?.(connection);
    },
    passed(connection, direction, bytes, offset) {
      const found = open.get(connection);
      if (found) {
        found.recorded?.bytes(direction, bytes);
        watch?.bytes(found.seen, direction, bytes, nowUs());
      }
      next.passed?.(connection, direction, bytes, offset);
    },
    halfClosed(connection, direction) {
      const found = open.get(connection);
      if (found) {
        found.recorded?.ended(direction);
        watch?.ended(found.seen, direction, nowUs());
      }
      next.halfClosed?.(connection, direction);
    },
    reset(connection, by) {
      open.get(connection)?.recorded?.reset(by === "client" ? "up" : "down");
      next.reset?.(connection, by);
    },
    closed(connection, reason, error) {
      const found = open.get(connection);
      if (found) {
        open.delete(connection);
        watch?.closed(found.seen, endingOf(reason), nowUs());
      }
      next.closed?.(connection, reason, error);
    },
  };
}

function endingOf(reason: ProxyCloseReason): Ending {
  return reason === "done" || reason === "drained" ? "closed" : "reset";
}
