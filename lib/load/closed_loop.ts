import type { LoadConnection } from "./load_connection.ts";

/** What a closed loop sends. */
export interface ClosedLoopInit {
  /** Messages of one round: they are sent together, and all must be answered before the next. */
  readonly pipeline: number;
  /** How many messages a connection sends; `Infinity` if time is the limit. */
  readonly count: number;
}

/**
 * Has each connection send `pipeline` messages, wait until all are answered, send the next ones, and
 * so on. A slow answer delays the messages after it, and that delay is not measured: to see what
 * users of a slow server feel, use the open loop.
 */
export class ClosedLoop {
  readonly #pipeline: number;
  readonly #count: number;
  #ended = false;

  /** Nothing is sent yet. */
  constructor({ pipeline, count }: ClosedLoopInit) {
    this.#pipeline = pipeline;
    this.#count = count;
  }

  /** No further round begins. */
  end(): void {
    this.#ended = true;
  }

  /** Gives a connection that has nothing to do its next round, or ends it. */
  next(connection: LoadConnection, now: number): void {
    const count = Math.min(this.#pipeline, this.#count - connection.given);
    if (this.#ended || count <= 0) return connection.finish(now);
    connection.add(now, count, now);
    connection.flush();
  }
}
