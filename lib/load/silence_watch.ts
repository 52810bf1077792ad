import type { LoadConnection } from "./load_connection.ts";

/** How often connections are looked at. */
const LONGEST_TICK_MS = 250;

/** When a connection's bytes were last seen to move. */
interface Sight {
  readonly bytes: number;
  readonly at: number;
}

/**
 * Gives up connections to which bytes are due and do not come. One timer looks at all of them now
 * and then, so that sending and receiving need none.
 */
export class SilenceWatch implements Disposable {
  readonly #connections: ReadonlySet<LoadConnection>;
  readonly #timeoutMs: number;
  readonly #sights = new WeakMap<LoadConnection, Sight>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** Watches the set, whatever is in it at each look, until it is disposed of. */
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
