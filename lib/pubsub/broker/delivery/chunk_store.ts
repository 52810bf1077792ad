/** The most and the least that a chunk has, in bytes; larger runs get one of their own size. */
const MAX_CHUNK_BYTES = 262_144;
const MIN_CHUNK_BYTES = 16_384;

/** How many empty chunks are kept to be used again. */
const MAX_FREE = 2;

/** Memory that the bytes of several pieces share. */
export interface Chunk {
  readonly bytes: Uint8Array;
  used: number;
  /** Pieces whose bytes are in it. */
  pieces: number;
}

/**
 * Memory for bytes that wait, which is used again. While a subscriber does not read, bytes come and
 * are left out all the time. Taking fresh memory for each run cost the other subscribers a sixth of
 * their rate.
 */
export class ChunkStore {
  /** Bytes of the chunks in use. */
  usedBytes = 0;
  readonly #chunkBytes: number;
  #current: Chunk | undefined;
  #free: Chunk[] = [];

  /** @param maxBytes About how much will be kept; it decides how large a chunk is. */
  constructor(maxBytes: number) {
    this.#chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(MIN_CHUNK_BYTES, maxBytes >>> 3));
  }

  /** Copies bytes into a chunk, behind what it has: `chunk.used` is where they end. */
  keep(bytes: Uint8Array): Chunk {
    let chunk = this.#current;
    if (chunk === undefined || chunk.used + bytes.length > chunk.bytes.length) {
      this.#current = undefined;
      if (chunk?.pieces === 0) this.#recycle(chunk);
      chunk = this.#current = this.#next(bytes.length);
    }
    chunk.bytes.set(bytes, chunk.used);
    chunk.used += bytes.length;
    chunk.pieces++;
    return chunk;
  }

  /** Notes that one piece of the chunk is gone. */
  release(chunk: Chunk): void {
    if (--chunk.pieces > 0) return;
    if (chunk === this.#current) chunk.used = 0;
    else this.#recycle(chunk);
  }

  #next(size: number): Chunk {
    const free = size <= this.#chunkBytes ? this.#free.pop() : undefined;
    const bytes = free?.bytes ?? new Uint8Array(Math.max(size, this.#chunkBytes));
    this.usedBytes += bytes.length;
    return { bytes, used: 0, pieces: 0 };
  }

  #recycle(chunk: Chunk): void {
    this.usedBytes -= chunk.bytes.length;
    if (chunk.bytes.length !== this.#chunkBytes || this.#free.length >= MAX_FREE) return;
    this.#free.push(chunk);
  }
}
