import { PeriodicLook, tickMs } from "../base/periodic_look.ts";
import type { LoadConnection } from "./load_connection.ts";

/** How many bytes a connection had received when a check last saw that number change, and when. */
interface Sight {
  readonly bytes: number;
  readonly at: number;
}

/**
 * Gives up connections that await an answer and receive nothing for too long. One timer checks all
 * of them, so that sending and receiving need no timers.
 */
export class SilenceWatch implements Disposable {
  readonly #connections: ReadonlySet<LoadConnection>;
  readonly #timeoutMs: number;
  readonly #sights = new WeakMap<LoadConnection, Sight>();
  readonly #looking: PeriodicLook;

  /** Checks what is in the set at that time, until the watch is disposed of. */
  constructor(connections: ReadonlySet<LoadConnection>, timeoutMs: number) {
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
    this.#looking = new PeriodicLook(tickMs(timeoutMs), (now) => this.#look(now));
    this.#looking.start();
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#looking.stop();
  }

  #look(now: number): void {
    for (const connection of this.#connections) {
      const sight = this.#sights.get(connection);
      const { receivedBytes: bytes, awaiting } = connection;
      if (!awaiting || sight?.bytes !== bytes) this.#sights.set(connection, { bytes, at: now });
      else if (now - sight.at >= this.#timeoutMs) connection.giveUp(this.#timeoutMs);
    }
  }
}
