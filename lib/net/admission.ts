import { NetworkLine, type Place } from "./network_line.ts";
import type { Turns } from "./turns.ts";

/** While peers wait that have sent something, every fourth that is let in is one that has sent nothing. */
const SILENT_ONE_IN = 4;

/** The turns in which something is let in. */
export interface AdmissionTurns extends Pick<Turns, "takeIfBusy"> {
  /** What to wait for before the next is let in, while all that wait have sent nothing. */
  takeForSilent?(): Promise<void> | undefined;
}

/**
 * Lets in what was accepted, where to begin with each takes long: a connection of a proxy, which dials
 * for it, or a TLS handshake. They are let in one after the other, in turns with everything else, and
 * wait here meanwhile rather than in the kernel's queue, from which they come in their order only.
 *
 * Networks take turns, as in a {@linkcode NetworkLine}. Those go first whose peers have sent something:
 * to connect costs a peer nothing, and thousands that only do that keep nobody waiting who wants something.
 * The others have a share nevertheless, because in some protocols the server speaks first.
 *
 * @typeParam T What waits.
 */
export class Admission<T extends NonNullable<unknown>> {
  readonly #turns: AdmissionTurns;
  readonly #admit: (item: T) => void;
  readonly #line: NetworkLine<T>;
  readonly #silent = new NetworkLine<T>();
  /** How many were let in of the others since one that was silent. */
  #sinceSilent = 0;
  #isAdmitting = false;

  /**
   * @param admit Begins with one. It must not throw.
   * @param isGone Whether one that has sent something was given up meanwhile.
   */
  constructor(
    turns: AdmissionTurns,
    admit: (item: T) => void,
    isGone?: (item: T) => boolean,
  ) {
    this.#turns = turns;
    this.#admit = admit;
    this.#line = new NetworkLine(isGone);
  }

  /** How many wait. */
  get size(): number {
    return this.#line.size + this.#silent.size;
  }

  /** How many of them have sent something. */
  get sentSize(): number {
    return this.#line.size;
  }

  /** Adds one whose peer has sent something. Where nobody is busy, it is let in before this returns. */
  add(network: string, item: T): void {
    this.#line.push(network, item);
    this.#begin();
  }

  /** Adds one whose peer has sent nothing yet. Where nobody is busy, it is let in before this returns. */
  addSilent(network: string, item: T): Place<T> {
    const place = this.#silent.push(network, item);
    this.#begin();
    return place;
  }

  /** The peer of one that was silent has sent something. */
  hasSent(place: Place<T>): void {
    if (!place.isTaken) return;
    this.#silent.delete(place);
    this.#line.push(place.network, place.item);
  }

  /**
   * Removes one for which there is no room, of the network that has the most: the one that has waited
   * longest of those whose peers have sent nothing; else of the others.
   */
  takeOldest(): T | undefined {
    return this.#silent.takeOldest() ?? this.#line.takeOldest();
  }

  /** Removes all that wait. */
  clear(): void {
    this.#line.clear();
    this.#silent.clear();
  }

  #begin(): void {
    if (!this.#isAdmitting) void this.#admitAll();
  }

  async #admitAll(): Promise<void> {
    this.#isAdmitting = true;
    while (this.size > 0) {
      // Without an `await` between those of one turn: others would go on during it.
      const turn = this.#line.size === 0 && this.#turns.takeForSilent
        ? this.#turns.takeForSilent()
        : this.#turns.takeIfBusy();
      if (turn) await turn;
      const next = this.#shift();
      if (next) this.#admit(next);
    }
    this.#isAdmitting = false;
  }

  #shift(): T | undefined {
    const isSilentNext = this.#line.size === 0 ||
      (this.#silent.size > 0 && this.#sinceSilent >= SILENT_ONE_IN - 1);
    this.#sinceSilent = isSilentNext ? 0 : this.#sinceSilent + 1;
    return (isSilentNext ? this.#silent : this.#line).shift();
  }
}
