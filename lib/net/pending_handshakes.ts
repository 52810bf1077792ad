import { FairLine } from "../base/fair_line.ts";

/** A handshake that is not complete. */
export interface PendingHandshake {
  /** The network of the client. */
  readonly network: string;
  /** Whether the client has sent something. */
  readonly hasArrived: boolean;
}

/**
 * Handshakes that are not complete, by the networks of the clients, each oldest first. A
 * client that opens many connections and says nothing crowds out its own handshakes only.
 */
export class PendingHandshakes<T extends PendingHandshake> {
  readonly #byNetwork = new FairLine<T>();

  /** How many there are. */
  get size(): number {
    return this.#byNetwork.size;
  }

  /** Adds one. */
  add(handshake: T): void {
    this.#byNetwork.push(handshake.network, handshake);
  }

  /** Removes one, if it is there. */
  delete(handshake: T): void {
    this.#byNetwork.delete(handshake.network, handshake);
  }

  /**
   * Takes out the one to give up for a new one: of the network with the most, the oldest whose client
   * has sent nothing. The newest quarter is left alone, as it had no time to. If all others have sent
   * something, it is the oldest.
   */
  takeLeast(): T | undefined {
    let most: ReadonlySet<T> | undefined;
    for (const handshakes of this.#byNetwork.groups) {
      if (most === undefined || handshakes.size > most.size) most = handshakes;
    }
    if (most === undefined) return undefined;
    const old = most.values().take(most.size - Math.floor(most.size / 4));
    const [oldest] = most;
    const least = old.find(({ hasArrived }) => !hasArrived) ?? oldest!;
    this.delete(least);
    return least;
  }

  /** All of them. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const handshakes of this.#byNetwork.groups) yield* handshakes;
  }
}
