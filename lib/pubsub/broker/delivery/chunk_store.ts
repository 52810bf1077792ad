/** How many empty chunks are kept to be used again. */
const MAX_FREE = 2;

/** Memory that the bytes of several pieces share. */
export interface Chunk {
  /** Where it comes from, and goes back to. */
  readonly store: ChunkStore;
  readonly bytes: Uint8Array;
  used: number;
  /** How often it is held, by pieces whose bytes are in it among others. */
  holders: number;
}

/**
 * Memory for bytes that wait, which is used again. While a subscriber does not read, bytes come and
 * are left out all the time. Taking fresh memory for each run cost the other subscribers a sixth of
 * their rate.
 */
export class ChunkStore {
  /** Bytes of the chunks in use. */
  usedBytes = 0;
  readonly #least: number;
  readonly #most: number;
  readonly #count: (bytes: number) => void;
  #heldBytes = 0;
  #current: Chunk | undefined;
  #free: Uint8Array[] = [];

  /**
   * @param least The size of the first chunk, if the bytes fit into it. The more is in use, the larger
   * are further ones.
   * @param most The largest size; only what does not fit into one gets a chunk of its own size.
   * @param count Is told how many more bytes are held, free ones included; negative for fewer.
   */
  constructor(least: number, most: number, count: (bytes: number) => void) {
    this.#least = Math.min(least, most);
    this.#most = most;
    this.#count = count;
  }

  /** Copies bytes into a chunk and holds it: they end at `chunk.used`. */
  keep(bytes: Uint8Array): Chunk {
    let chunk = this.#current;
    if (chunk === undefined || chunk.used + bytes.length > chunk.bytes.length) {
      this.#current = undefined;
      if (chunk?.holders === 0) this.#recycle(chunk);
      chunk = this.#current = this.#next(bytes.length);
    }
    chunk.bytes.set(bytes, chunk.used);
    chunk.used += bytes.length;
    chunk.holders++;
    return chunk;
  }

  /** Ends one hold of a chunk. */
  release(chunk: Chunk): void {
    if (--chunk.holders > 0) return;
    if (chunk === this.#current) chunk.used = 0;
    else this.#recycle(chunk);
  }

  /** Lets go of the free chunks. */
  trim(): void {
    for (const { length } of this.#free) this.#hold(-length);
    this.#free = [];
  }

  /** Lets go of everything. Nothing is kept or released after that. */
  close(): void {
    this.#hold(-this.#heldBytes);
    this.#current = undefined;
    this.#free = [];
  }

  #next(size: number): Chunk {
    // Chunks of a size of their own would not be used again.
    const least = size > this.#least ? this.#most : this.#least;
    const due = Math.min(this.#most, Math.max(least, this.usedBytes));
    const free = size <= this.#most ? this.#free.pop() : undefined;
    const bytes = free ?? new Uint8Array(Math.max(size, due));
    if (!free) this.#hold(bytes.length);
    this.usedBytes += bytes.length;
    return { store: this, bytes, used: 0, holders: 0 };
  }

  #recycle({ bytes }: Chunk): void {
    this.usedBytes -= bytes.length;
    if (bytes.length === this.#most && this.#free.length < MAX_FREE) this.#free.push(bytes);
    else this.#hold(-bytes.length);
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#count(bytes);
  }
}

/** The chunks that a backlog shares with others, and how many of its pieces are in each. */
export class HeldChunks {
  /** The bytes of all of them. */
  bytes = 0;
  #pieces: Map<Chunk, number> | undefined;

  /** Holds a chunk for one piece more. */
  hold(chunk: Chunk): void {
    chunk.holders++;
    this.#pieces ??= new Map();
    const pieces = this.#pieces.get(chunk) ?? 0;
    this.#pieces.set(chunk, pieces + 1);
    if (pieces === 0) this.bytes += chunk.bytes.length;
  }

  /** Ends one {@linkcode HeldChunks.hold}. */
  release(chunk: Chunk): void {
    chunk.store.release(chunk);
    const pieces = this.#pieces!.get(chunk)! - 1;
    if (pieces > 0) return void this.#pieces!.set(chunk, pieces);
    this.#pieces!.delete(chunk);
    this.bytes -= chunk.bytes.length;
  }
}
