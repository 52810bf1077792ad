import type { LoadConnection } from "./load_connection.ts";

/** The longest time between two checks. */
const LONGEST_TICK_MS = 250;

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
  readonly #timer: ReturnType<typeof setInterval>;

  /** Checks what is in the set at that time, until the watch is disposed of. */
  constructor(connections: ReadonlySet<LoadConnection>, timeoutMs: number) {
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.#look(), Math.min(LONGEST_TICK_MS, timeoutMs / 4));
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      const sight = this.#sights.get(connection);
      const { receivedBytes: bytes, awaiting } = connection;
      if (!awaiting || sight?.bytes !== bytes) this.#sights.set(connection, { bytes, at: now });
      else if (now - sight.at >= this.#timeoutMs) connection.giveUp(this.#timeoutMs);
    }
  }
}
