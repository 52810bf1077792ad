import { LimitLook, tickMs } from "../base/periodic_look.ts";
import type { CloseReason } from "./close_reason.ts";
import type { Connection } from "./connection.ts";
import type { ResolvedLimits } from "./limits.ts";

/** A frame that arrives at this rate or faster may take as long as it needs. */
const SLOWEST_BYTES_PER_MS = 16_384 / 1_000;

/** What the last look at a connection found. */
interface Sight {
  bytes: number;
  movedAt: number;
  frames: number;
  midFrameSince: number;
  midFrameBytes: number;
}

/**
 * Closes connections that exceed a limit in time. One timer checks all connections, so that reads
 * and writes need neither a timer nor a clock. A limit may be exceeded by up to a quarter.
 */
export class Watchdog {
  readonly #limits: ResolvedLimits;
  readonly #connections: ReadonlySet<Connection>;
  readonly #sights = new WeakMap<Connection, Sight>();
  readonly #looking: LimitLook;

  /** Watches the connections that are in the set at each look. */
  constructor(connections: ReadonlySet<Connection>, limits: ResolvedLimits) {
    this.#connections = connections;
    this.#limits = limits;
    const { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs } = limits;
    const tick = tickMs(idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs);
    this.#looking = new LimitLook(tick, (now) => this.#look(now));
    this.#looking.start();
  }

  /** Stops watching. */
  stop(): void {
    this.#looking.stop();
  }

  #look(now: number): void {
    for (const connection of this.#connections) {
      const reason = this.#check(connection, now);
      if (reason) connection.close(reason);
    }
  }

  #check(connection: Connection, now: number): CloseReason | undefined {
    const { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs } = this.#limits;
    const { readBytes, writtenBytes, midFrame, openedAt } = connection;
    let sight = this.#sights.get(connection);
    if (!sight) {
      // Of most connections of a broker nothing needs to be remembered.
      if (idleTimeoutMs <= 0 && firstByteTimeoutMs <= 0 && !midFrame) return undefined;
      sight = { bytes: 0, movedAt: openedAt, frames: 0, midFrameSince: Infinity, midFrameBytes: 0 };
      this.#sights.set(connection, sight);
    }
    if (readBytes + writtenBytes !== sight.bytes) {
      sight.bytes = readBytes + writtenBytes;
      sight.movedAt = now;
    }
    // A peer that sends one frame after the other is inside some frame at every look. The time
    // counts only while it is the same frame.
    if (!midFrame) sight.midFrameSince = Infinity;
    else if (connection.readFrames !== sight.frames || sight.midFrameSince === Infinity) {
      sight.midFrameSince = now;
      sight.midFrameBytes = readBytes;
    }
    sight.frames = connection.readFrames;
    const frameMs = frameTimeoutMs + (readBytes - sight.midFrameBytes) / SLOWEST_BYTES_PER_MS;
    if (firstByteTimeoutMs > 0 && readBytes === 0 && now - openedAt > firstByteTimeoutMs) {
      return "first-byte-timeout";
    }
    if (frameTimeoutMs > 0 && now - sight.midFrameSince > frameMs) return "frame-timeout";
    if (idleTimeoutMs > 0 && now - sight.movedAt > idleTimeoutMs) return "idle";
    return undefined;
  }
}
