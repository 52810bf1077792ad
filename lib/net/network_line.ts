/** So many networks are compared with each other: of more it would take too long. */
const MAX_COMPARED = 256;

/** Where an item waits in a {@linkcode NetworkLine}. */
export interface Place<T> {
  readonly item: T;
  readonly network: string;
  /** Whether it still waits there. */
  readonly isTaken: boolean;
}

/** A place, and its neighbours of the same network. */
interface Link<T> extends Place<T> {
  isTaken: boolean;
  older: Link<T> | undefined;
  newer: Link<T> | undefined;
}

/** What waits of one network. */
interface Waiting<T> {
  oldest: Link<T> | undefined;
  newest: Link<T> | undefined;
  length: number;
  isNewestNext: boolean;
}

/**
 * What waits, by the networks from which it came. Networks take turns, so that a thousand items of one keep
 * those of others waiting no longer than one does. Of each network the one that has waited longest goes
 * first, then the one that came last, and so on: who comes behind a thousand that came at once need not
 * wait for all of them.
 *
 * @typeParam T What waits.
 */
export class NetworkLine<T extends NonNullable<unknown>> {
  /** None is empty. The first is the next that has its turn. */
  readonly #networks = new Map<string, Waiting<T>>();
  readonly #isGone: (item: T) => boolean;
  #size = 0;

  /** @param isGone Whether one that waited was given up meanwhile: it is dropped, and costs nobody a turn. */
  constructor(isGone: (item: T) => boolean = () => false) {
    this.#isGone = isGone;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds one as the newest of its network. */
  push(network: string, item: T): Place<T> {
    let waiting = this.#networks.get(network);
    if (!waiting) {
      waiting = { oldest: undefined, newest: undefined, length: 0, isNewestNext: false };
      this.#networks.set(network, waiting);
    }
    const older = waiting.newest;
    const link: Link<T> = { item, network, isTaken: true, older, newer: undefined };
    if (older) older.newer = link;
    else waiting.oldest = link;
    waiting.newest = link;
    waiting.length++;
    this.#size++;
    return link;
  }

  /** Removes the next one. `undefined` if there is none, or all of its network were given up. */
  shift(): T | undefined {
    const first = this.#networks.entries().next().value;
    if (first === undefined) return undefined;
    const [network, waiting] = first;
    let link: Link<T>;
    do {
      link = waiting.isNewestNext ? waiting.newest! : waiting.oldest!;
      this.delete(link);
    } while (waiting.length > 0 && this.#isGone(link.item));
    waiting.isNewestNext = !waiting.isNewestNext;
    if (waiting.length > 0) {
      // It goes behind the others.
      this.#networks.delete(network);
      this.#networks.set(network, waiting);
    }
    return this.#isGone(link.item) ? undefined : link.item;
  }

  /** Removes the one that has waited longest of the network that has the most. */
  takeOldest(): T | undefined {
    let most: Waiting<T> | undefined;
    let compared = 0;
    for (const each of this.#networks.values()) {
      if (++compared > MAX_COMPARED) break;
      if (!most || each.length > most.length) most = each;
    }
    const oldest = most?.oldest;
    if (oldest) this.delete(oldest);
    return oldest?.item;
  }

  /** Removes one, if it still waits. */
  delete(place: Place<T>): void {
    const link = place as Link<T>;
    if (!link.isTaken) return;
    link.isTaken = false;
    const { network, older, newer } = link;
    const waiting = this.#networks.get(network)!;
    if (older) older.newer = newer;
    else waiting.oldest = newer;
    if (newer) newer.older = older;
    else waiting.newest = older;
    this.#size--;
    if (--waiting.length === 0) this.#networks.delete(network);
  }

  /** Removes all. */
  clear(): void {
    this.#networks.clear();
    this.#size = 0;
  }
}
