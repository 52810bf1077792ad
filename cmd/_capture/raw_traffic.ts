import {
  type ConnectionTraffic,
  type Direction,
  type Ending,
  SecretFilter,
  type SeenConnection,
  type TrafficObserver,
} from "../../lib/capture/mod.ts";
import type { FrameReport } from "./frame_report.ts";

/** What is known of a connection whose bytes are printed. */
interface RawConnection {
  readonly filters: Readonly<Record<Direction, SecretFilter>>;
  readonly bytes: Record<Direction, number>;
}

/**
 * Prints bytes as they pass, not frames: a line for each piece.
 *
 * @param secrets Whether credentials are printed.
 */
export function rawTraffic(report: FrameReport, secrets: boolean): TrafficObserver {
  const open = new Map<SeenConnection, RawConnection>();
  return {
    opened(connection) {
      const filters = { up: new SecretFilter(), down: new SecretFilter() };
      open.set(connection, { filters, bytes: { up: 0, down: 0 } });
      report.opened(connection);
    },
    bytes(connection, direction, bytes, timeUs) {
      const { filters, bytes: counts } = open.get(connection)!;
      const shown = secrets ? bytes : filters[direction].filter(bytes);
      const offset = counts[direction];
      counts[direction] += bytes.length;
      report.bytes(shown, { connection, direction, offset, timeUs });
    },
    gap: (connection, direction, count) => void (open.get(connection)!.bytes[direction] += count),
    ended: () => {},
    closed(connection, how: Ending, timeUs) {
      const { bytes } = open.get(connection)!;
      open.delete(connection);
      const none = { up: 0, down: 0 };
      const traffic: ConnectionTraffic = {
        bytes,
        frames: none,
        missingBytes: none,
        unanswered: 0,
      };
      report.connection(connection, how, timeUs, traffic);
    },
  };
}
