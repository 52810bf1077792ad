/** A side has this much memory to be read into at first; the first read that fills it brings more. */
const FIRST_BYTES = 4_096;
const MOST_BYTES = 65_536;

/** Gets what was read: a view. Returns whether its memory may be read into again. */
export type Reader = (bytes: Uint8Array<ArrayBuffer>) => boolean;

/**
 * Memory that a side reads into again and again. Memory that is made for each read is collected
 * late: at full speed, half a gigabyte of it lies about.
 */
export class ReadMemory {
  #memory = new Uint8Array(FIRST_BYTES);
  /** What is read into while the other memory is in use. */
  #spare: Uint8Array<ArrayBuffer> | undefined;

  /** What the next read goes into. */
  get free(): Uint8Array<ArrayBuffer> {
    return this.#memory;
  }

  /** Lends what was read to a reader, and returns what that says. */
  lend(count: number, read: Reader): boolean {
    const memory = this.#memory;
    const isFree = read(memory.subarray(0, count));
    if (!isFree) {
      this.#memory = this.#spare ?? new Uint8Array(memory.length);
      this.#spare = memory;
    }
    if (count === memory.length && this.#memory.length < MOST_BYTES) {
      this.#memory = new Uint8Array(MOST_BYTES);
    }
    return isFree;
  }
}
