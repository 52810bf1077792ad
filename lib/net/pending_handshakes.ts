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
  readonly #byHost = new Map<string, Set<T>>();
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds one. */
  add(handshake: T): void {
    const { hostname } = handshake;
    const others = this.#byHost.get(hostname);
    if (others) others.add(handshake);
    else this.#byHost.set(hostname, new Set([handshake]));
    this.#size++;
  }

  /** Removes one, if it is there. */
  delete(handshake: T): void {
    const { hostname } = handshake;
    const others = this.#byHost.get(hostname);
    if (!others?.delete(handshake)) return;
    if (others.size === 0) this.#byHost.delete(hostname);
    this.#size--;
  }

  /**
   * Takes out the one to give up for a new one: of the address with the most, the oldest that has not
   * begun. The newest quarter is left alone, as it had no time to begin. If all others have begun, it
   * is the oldest.
   */
  takeLeast(): T | undefined {
    let most: Set<T> | undefined;
    for (const handshakes of this.#byHost.values()) {
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
    for (const handshakes of this.#byHost.values()) yield* handshakes;
  }
}
