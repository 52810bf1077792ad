/** Ids and letters for which there is room at first. */
const FIRST_IDS = 256;
const FIRST_UNITS = 8_192;

/** More room than this is given back once the list is empty. */
const KEPT_IDS = 16_384;

/**
 * Message ids in the order of their messages' numbers, each with its number and time. They lie in a few
 * arrays: an object and a text for each, which live until they are saved, would keep the garbage
 * collector busier than all else of a publication.
 */
export class IdList {
  /** How many there are. */
  length = 0;
  #units = new Uint16Array(FIRST_UNITS);
  /** Where the letters of each end. */
  #ends = new Uint32Array(FIRST_IDS);
  #seqs = new Float64Array(FIRST_IDS);
  #times = new Float64Array(FIRST_IDS);

  /** Adds one, whose number is larger than those before. */
  add(id: string, seq: number, time: number): void {
    const index = this.length;
    const start = this.#startOf(index);
    const end = start + id.length;
    if (index === this.#ends.length) this.#growIds();
    if (end > this.#units.length) this.#growUnits(end);
    const units = this.#units;
    for (let i = 0; i < id.length; i++) units[start + i] = id.charCodeAt(i);
    this.#ends[index] = end;
    this.#seqs[index] = seq;
    this.#times[index] = time;
    this.length++;
  }

  /** The id at an index. */
  idAt(index: number): string {
    const units = this.#units.subarray(this.#startOf(index), this.#ends[index]);
    return String.fromCharCode(...units);
  }

  /** The number of the message at an index. */
  seqAt(index: number): number {
    return this.#seqs[index]!;
  }

  /** When the message at an index was stored, in milliseconds since 1970. */
  timeAt(index: number): number {
    return this.#times[index]!;
  }

  /** The index of a message by its number; -1 if it is not there. */
  indexOf(seq: number): number {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#seqs[middle]! < seq) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.#seqs[low] === seq ? low : -1;
  }

  /** Forgets all but the first of them. */
  truncate(length: number): void {
    this.length = length;
    if (length > 0 || this.#ends.length <= KEPT_IDS) return;
    this.#units = new Uint16Array(FIRST_UNITS);
    this.#ends = new Uint32Array(FIRST_IDS);
    this.#seqs = new Float64Array(FIRST_IDS);
    this.#times = new Float64Array(FIRST_IDS);
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  #growIds(): void {
    const [ends, seqs, times] = [this.#ends, this.#seqs, this.#times];
    this.#ends = new Uint32Array(2 * ends.length);
    this.#seqs = new Float64Array(2 * ends.length);
    this.#times = new Float64Array(2 * ends.length);
    this.#ends.set(ends);
    this.#seqs.set(seqs);
    this.#times.set(times);
  }

  #growUnits(needed: number): void {
    const units = this.#units;
    this.#units = new Uint16Array(Math.max(needed, 2 * units.length));
    this.#units.set(units);
  }
}
