/**
 * Reproducible randomness: the same keys give the same numbers, in whatever order they are asked for.
 *
 * @module
 */

/** What is drawn, so that different faults of one place are independent of each other. */
export const DRAWS = { share: 1, corrupt: 2, loss: 3, jitter: 4, slice: 5 } as const;

/** Mixes another number into a state: the finalizer of MurmurHash3 between two multiplications. */
function mix(state: number, key: number): number {
  let h = Math.imul(state ^ key, 0x9e3779b1) ^ (state >>> 15);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A state that follows from numbers, each of up to 53 bits. */
export function keyed(state: number, ...numbers: readonly number[]): number {
  let mixed = state >>> 0;
  for (const number of numbers) {
    mixed = mix(mixed, number >>> 0);
    mixed = mix(mixed, Math.floor(number / 0x1_0000_0000) >>> 0);
  }
  return mixed;
}

/** A number from 0 to below 1 that follows from a state and a place. */
export function drawAt(state: number, place: number): number {
  return keyed(state, place) / 0x1_0000_0000;
}

/** A sequence of numbers that follows from a state. */
export class Dice {
  #state: number;
  #count = 0;

  constructor(state: number) {
    this.#state = state;
  }

  /** A number from 0 to below 1. */
  next(): number {
    return mix(this.#state, ++this.#count) / 0x1_0000_0000;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }
}
