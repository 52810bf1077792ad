/** Written at once. */
const BLOCK_BYTES = 65_536;

/** A file that holds room on the disk, so that there is some once the disk is full. */
export class DiskReserve {
  readonly #path: string;
  #bytes = 0;

  /** Holds nothing at first; what an earlier process held is given back. */
  constructor(path: string) {
    this.#path = path;
    this.release();
  }

  /** How many bytes it holds. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Holds as many bytes. @returns whether there was room for that; if not, it holds what it held. */
  hold(bytes: number): boolean {
    try {
      using file = Deno.openSync(this.#path, { write: true, create: true, mode: 0o600 });
      try {
        file.seekSync(this.#bytes, Deno.SeekMode.Start);
        // Some file systems keep no room for zeros, or for what can be compressed.
        const block = new Uint8Array(BLOCK_BYTES);
        for (let left = bytes - this.#bytes; left > 0;) {
          crypto.getRandomValues(block);
          const written = file.writeSync(block.subarray(0, Math.min(left, BLOCK_BYTES)));
          left -= written;
        }
        file.truncateSync(bytes);
        this.#bytes = bytes;
      } catch (error) {
        file.truncateSync(this.#bytes);
        throw error;
      }
      return true;
    } catch {
      return false;
    }
  }

  /** Gives back what it holds. */
  release(): void {
    try {
      Deno.removeSync(this.#path);
    } catch {
      // There is none.
    }
    this.#bytes = 0;
  }
}
