import { Deque } from "../base/deque.ts";
import type { Turns } from "./turns.ts";

/** So many networks are compared with each other: of more it would take too long. */
const MAX_COMPARED = 256;

/** What waits of one network. */
interface Waiting<T> {
  readonly queue: Deque<T>;
  isLastNext: boolean;
}

/**
 * Lets in what was accepted, where to begin with each takes long: a connection of a proxy, which dials
 * for it, or a TLS handshake. They are let in one after the other, in turns with everything else, and
 * wait here meanwhile rather than in the kernel's queue, from which they come in their order only.
 *
 * Networks take turns, so that a thousand connections of one keep those of others waiting no longer than
 * one does. Of each network the one that has waited longest goes first, then the one that came last, and
 * so on: who comes behind a thousand that came at once need not wait for all of them.
 *
 * @typeParam T What waits.
 */
export class Admission<T extends NonNullable<unknown>> {
  readonly #turns: Pick<Turns, "takeIfBusy">;
  readonly #admit: (item: T) => void;
  readonly #isGone: (item: T) => boolean;
  /** None has an empty queue. The first is the next that has its turn. */
  readonly #networks = new Map<string, Waiting<T>>();
  #size = 0;
  #isAdmitting = false;

  /**
   * @param admit Begins with one. It must not throw.
   * @param isGone Whether one that waited was given up meanwhile: it is dropped, and costs nobody a turn.
   */
  constructor(
    turns: Pick<Turns, "takeIfBusy">,
    admit: (item: T) => void,
    isGone: (item: T) => boolean = () => false,
  ) {
    this.#turns = turns;
    this.#admit = admit;
    this.#isGone = isGone;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds one. Where nobody is busy, it is let in before this returns. */
  add(network: string, item: T): void {
    let waiting = this.#networks.get(network);
    if (!waiting) this.#networks.set(network, waiting = { queue: new Deque(), isLastNext: false });
    waiting.queue.push(item);
    this.#size++;
    if (!this.#isAdmitting) void this.#admitAll();
  }

  /** Removes the one that has waited longest of the network that has the most. */
  takeOldest(): T | undefined {
    let most: [string, Waiting<T>] | undefined;
    let compared = 0;
    for (const each of this.#networks) {
      if (++compared > MAX_COMPARED) break;
      if (!most || each[1].queue.length > most[1].queue.length) most = each;
    }
    if (!most) return undefined;
    const [network, { queue }] = most;
    this.#size--;
    const oldest = queue.shift();
    if (queue.length === 0) this.#networks.delete(network);
    return oldest;
  }

  /** Removes all that wait. */
  clear(): void {
    this.#networks.clear();
    this.#size = 0;
  }

  async #admitAll(): Promise<void> {
    this.#isAdmitting = true;
    while (this.#size > 0) {
      // Without an `await` between those of one turn: others would go on during it.
      const turn = this.#turns.takeIfBusy();
      if (turn) await turn;
      const next = this.#shift();
      if (next) this.#admit(next);
    }
    this.#isAdmitting = false;
  }

  #shift(): T | undefined {
    const first = this.#networks.entries().next().value;
    if (first === undefined) return undefined;
    const [network, waiting] = first;
    const { queue, isLastNext } = waiting;
    let item: T | undefined;
    do {
      item = isLastNext ? queue.pop() : queue.shift();
      this.#size--;
    } while (queue.length > 0 && this.#isGone(item!));
    waiting.isLastNext = !isLastNext;
    this.#networks.delete(network);
    // It goes behind the others.
    if (queue.length > 0) this.#networks.set(network, waiting);
    return item !== undefined && this.#isGone(item) ? undefined : item;
  }
}
