import { FairLine } from "../base/fair_line.ts";

/** A handshake that is under way. */
export interface PendingHandshake {
  /** The network address of the client. */
  readonly hostname: string;
  /** Whether the client has sent its part, so that the server has answered. */
  readonly begun: boolean;
}

/**
 * The handshakes that are under way, by the network addresses of the clients, each oldest first. A
 * client that opens many connections and says nothing crowds out its own handshakes only.
 */
export class PendingHandshakes<T extends PendingHandshake> {
  readonly #byHost = new FairLine<T>();

  /** How many there are. */
  get size(): number {
    return this.#byHost.size;
  }

  /** Adds one. */
  add(handshake: T): void {
    this.#byHost.push(handshake.hostname, handshake);
  }

  /** Removes one, if it is there. */
  delete(handshake: T): void {
    this.#byHost.delete(handshake.hostname, handshake);
  }

  /**
   * Takes out the one to give up for a new one: of the address with the most, the oldest that has not
   * begun. The newest quarter is left alone, as it had no time to begin. If all others have begun, it
   * is the oldest.
   */
  takeLeast(): T | undefined {
    let most: ReadonlySet<T> | undefined;
    for (const handshakes of this.#byHost.groups) {
      if (most === undefined || handshakes.size > most.size) most = handshakes;
    }
    if (most === undefined) return undefined;
    const old = most.values().take(most.size - Math.floor(most.size / 4));
    const [oldest] = most;
    const least = old.find(({ begun }) => !begun) ?? oldest!;
    this.delete(least);
    return least;
  }

  /** All of them. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const handshakes of this.#byHost.groups) yield* handshakes;
  }
}
