import type { ByteBuffer } from "../../../frame/mod.ts";
import { Missed, TALLY_BYTES } from "./missed.ts";
import type { Piece } from "./piece.ts";

/**
 * While there are more tallies than this, no new place begins: what is left out behind the last piece
 * is counted behind all that follows it. Otherwise there might be a thousand places, each with a tally
 * for every filter of the client.
 */
const MANY_TALLIES = 10_000;

/** To write a thousand frames that tell of it takes a millisecond. */
const MUCH_TALLIES = 1_000;

/** What a backlog has left out, each in its place: before a piece that waits, or behind the last one. */
export class LeftOut {
  /** Publications that were left out so far. */
  count = 0;
  /** What was left out behind the last piece. */
  #last: Missed | undefined;
  #tallies = 0;
  readonly #onCount: (bytes: number) => void;

  /** @param onCount Is told what telling of it takes more in memory, or less. */
  constructor(onCount: (bytes: number) => void) {
    this.#onCount = onCount;
  }

  /** What telling of it takes. */
  get bytes(): number {
    return this.#tallies * TALLY_BYTES;
  }

  /** Whether it takes long to tell of it. */
  get isMuch(): boolean {
    return this.#tallies > MUCH_TALLIES;
  }

  /** What was left out behind the last piece. */
  get last(): Missed | undefined {
    return this.#last;
  }

  /** Counts publications that are left out behind all that waits. */
  add(...publications: Parameters<Missed["add"]>): void {
    const [, count] = publications;
    this.count += count;
    this.#last ??= new Missed();
    this.#change(this.#last, (missed) => missed.add(...publications));
  }

  /** What stands before a piece that comes behind all others; it is behind them no more. */
  takeLast(): Missed | undefined {
    if (this.#tallies > MANY_TALLIES) return undefined;
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  /** Counts a piece that is left out, in its place. */
  drop({ subscription, count, start, end, missed, after }: Piece): void {
    this.count += count;
    const later = after ? after.missed : this.#last;
    const before = (missed?.size ?? 0) + (later?.size ?? 0);
    const joined = missed && later ? missed.joinedWith(later) : missed ?? later ?? new Missed();
    joined.add(subscription!, count, end - start);
    if (after) after.missed = joined;
    else this.#last = joined;
    this.#countTallies(joined.size - before);
  }

  /**
   * Tells of what was left out before a piece, until the buffer holds `limit` bytes or more.
   *
   * @returns Whether all of it is told.
   */
  tellBefore(piece: Piece, buffer: ByteBuffer, limit: number): boolean {
    const { missed } = piece;
    if (missed && !this.#change(missed, () => missed.writeTo(buffer, limit))) return false;
    piece.missed = undefined;
    return true;
  }

  /** The same, of what was left out behind the last piece. */
  tellLast(buffer: ByteBuffer, limit: number): void {
    const last = this.#last;
    if (last && this.#change(last, () => last.writeTo(buffer, limit))) this.#last = undefined;
  }

  /** Nobody is to be told of anything any more. */
  close(): void {
    this.#last = undefined;
    this.#countTallies(-this.#tallies);
  }

  #change<T>(missed: Missed, change: (missed: Missed) => T): T {
    const before = missed.size;
    const result = change(missed);
    this.#countTallies(missed.size - before);
    return result;
  }

  #countTallies(more: number): void {
    this.#tallies += more;
    if (more !== 0) this.#onCount(more * TALLY_BYTES);
  }
}
