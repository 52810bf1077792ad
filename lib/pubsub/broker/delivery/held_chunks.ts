import type { Chunk } from "./chunk_store.ts";

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
