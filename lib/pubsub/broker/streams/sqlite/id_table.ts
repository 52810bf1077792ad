/** The fewest and the most ids of a table. */
const LEAST = 32;
const MOST = 131_072;

/** Two hashes of a text, which nobody can foresee who does not know the seeds. `check` is never 0. */
export interface IdHash {
  readonly place: number;
  readonly check: number;
}

const [SEED_PLACE, SEED_CHECK] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [
  number,
  number,
];

/** Hashes an id. The same text has another hash in the next process. */
export function hashOf(id: string): IdHash {
  let place = SEED_PLACE;
  let check = SEED_CHECK;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    place = Math.imul(place ^ unit, 0x0100_0193);
    check = Math.imul((check << 13 | check >>> 19) ^ unit, 0x9e37_79b1);
  }
  // The last letters have to reach all bits.
  place = Math.imul(place ^ place >>> 15, 0x2c1b_3c6d);
  // 0 stands for none.
  return { place: (place ^ place >>> 13) >>> 0, check: ((check ^ check >>> 16) >>> 0) || 1 };
}

/**
 * The numbers of messages by the hashes of their ids, in 32 to 64 bytes each: the ids themselves are
 * on the disk.
 */
export class IdTable {
  /** The number of the last message. */
  last = 0;
  /** When the first and the last were stored. */
  readonly since: number;
  until: number;
  /** How many ids it has. */
  size = 0;
  /** 0 in a place without a message: to find none, as for nearly all ids, looks at nothing else. */
  #checks = new Uint32Array(2 * LEAST);
  #places = new Uint32Array(2 * LEAST);
  #seqs = new Float64Array(2 * LEAST);

  /** @param time When the first was stored, which is added next. */
  constructor(time: number) {
    this.since = this.until = time;
  }

  /** Whether another one has to be begun. */
  get isFull(): boolean {
    return this.size >= MOST;
  }

  /** Adds a message; numbers and times are in order. */
  add(hash: IdHash, seq: number, time: number): void {
    const { length } = this.#seqs;
    if (2 * this.size >= length) this.#rebuild(2 * length, Infinity);
    this.#put(hash.place, hash.check, seq);
    this.size++;
    this.last = seq;
    this.until = time;
  }

  /**
   * The place of a message whose id has the same hashes, from one on; -1 if there is none: of nearly all
   * other ids. Asked for each publication: an iterator would take longer than the rest.
   */
  find({ place, check }: IdHash, from: number = place): number {
    const mask = this.#seqs.length - 1;
    for (let i = from & mask; this.#checks[i] !== 0; i = i + 1 & mask) {
      if (this.#checks[i] === check && this.#places[i] === place) return i;
    }
    return -1;
  }

  /** The number of the message at a place that {@linkcode IdTable.find} gave. */
  seqAt(place: number): number {
    return this.#seqs[place]!;
  }

  /**
   * Removes those from a number on, of which there is one. The time of the last stays: so the table may
   * go later than it could.
   *
   * @returns how many these were.
   */
  removeFrom(first: number): number {
    const before = this.size;
    this.#rebuild(this.#seqs.length, first);
    return before - this.size;
  }

  /** Puts those before a number into a table of a size. */
  #rebuild(length: number, end: number): void {
    const [places, checks, seqs] = [this.#places, this.#checks, this.#seqs];
    this.#places = new Uint32Array(length);
    this.#checks = new Uint32Array(length);
    this.#seqs = new Float64Array(length);
    this.size = this.last = 0;
    for (let i = 0; i < seqs.length; i++) {
      const seq = seqs[i]!;
      if (checks[i] === 0 || seq >= end) continue;
      this.#put(places[i]!, checks[i]!, seq);
      this.size++;
      this.last = Math.max(this.last, seq);
    }
  }

  #put(place: number, check: number, seq: number): void {
    const mask = this.#seqs.length - 1;
    let i = place & mask;
    while (this.#checks[i] !== 0) i = i + 1 & mask;
    this.#places[i] = place;
    this.#checks[i] = check;
    this.#seqs[i] = seq;
  }
}
