/** Numbers that are counted up from a random one. */
const BLOCK = 1_048_576;

/**
 * Numbers for deliveries. A number that another gateway gave, or this one before it was started
 * again, must not name a delivery of now: so they begin at random, and go on elsewhere at times.
 */
export class DeliveryNumbers {
  #next = 0;
  #end = 0;

  /** A number that was not given before. */
  next(): number {
    if (this.#next === this.#end) {
      const [block] = crypto.getRandomValues(new Uint32Array(1)) as unknown as [number];
      this.#next = (block + 1) * BLOCK;
      this.#end = this.#next + BLOCK;
    }
    return this.#next++;
  }
}
