/** A queue of points in time that allocates only when it grows. */
export class TimeQueue {
  /** How many there are. */
  length = 0;
  #times = new Float64Array(8);
  #first = 0;

  /** Adds a time at the end. */
  push(time: number): void {
    const { length } = this.#times;
    if (this.length === length) {
      const grown = new Float64Array(length * 2);
      for (let i = 0; i < length; i++) grown[i] = this.#times[(this.#first + i) & (length - 1)]!;
      this.#times = grown;
      this.#first = 0;
    }
    this.#times[(this.#first + this.length++) & (this.#times.length - 1)] = time;
  }

  /** Removes and returns the first time. The queue must not be empty. */
  shift(): number {
    const time = this.#times[this.#first]!;
    this.#first = (this.#first + 1) & (this.#times.length - 1);
    this.length--;
    return time;
  }
}
