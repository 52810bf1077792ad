import { PeriodicLook, tickMs } from "../base/periodic_look.ts";
import type { CloseReason, Connection } from "./connection.ts";
import type { ResolvedLimits } from "./limits.ts";

/** A frame that comes at this rate or faster may take as long as its size needs. */
const SLOWEST_BYTES_PER_MS = 16_384 / 1_000;

/** What was seen of a connection at the last look. */
interface Sight {
  bytes: number;
  movedAt: number;
  frames: number;
  midFrameSince: number;
  midFrameBytes: number;
}

/**
 * Closes connections that pass a limit in time. One timer looks at all of them now and then, so
 * that reading and writing need no clock and no timer; a limit is kept to within a quarter of it.
 */
export class Watchdog {
  readonly #limits: ResolvedLimits;
  readonly #connections: ReadonlySet<Connection>;
  readonly #sights = new WeakMap<Connection, Sight>();
  readonly #looking: PeriodicLook;

  /** Watches the set, whatever is in it at each look, until it is stopped. */
  constructor(connections: ReadonlySet<Connection>, limits: ResolvedLimits) {
    this.#connections = connections;
    this.#limits = limits;
    const { idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs } = limits;
    const tick = tickMs(idleTimeoutMs, firstByteTimeoutMs, frameTimeoutMs);
    this.#looking = new PeriodicLook(tick, (now) => this.#look(now));
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
      sight = { bytes: 0, movedAt: openedAt, frames: 0, midFrameSince: Infinity, midFrameBytes: 0 };
      this.#sights.set(connection, sight);
    }
    if (readBytes + writtenBytes !== sight.bytes) {
      sight.bytes = readBytes + writtenBytes;
      sight.movedAt = now;
    }
    // A peer that sends frame after frame is at some byte of one at every look. What counts is
    // that it was inside the same frame all the time.
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
