/** What a store keeps in memory where it may: more is of no use. */
export const STORE_MEMORY_BYTES = 67_108_864;

/** The least that each part gets, so that a store works with hardly any memory. */
const LEAST_BYTES = 524_288;

/** What remembering a message id takes: its hash, with room for more. */
const ID_BYTES = 64;

/** How the memory of a store is shared out. */
export interface StoreMemory {
  /** Pages of the file, for the thread that writes. */
  readonly writerCacheBytes: number;
  /** Pages of the file, for the thread that reads. */
  readonly readerCacheBytes: number;
  /** Publications that wait for a commit. */
  readonly waitingBytes: number;
  /** Message ids whose hashes are in memory. */
  readonly recentIds: number;
}

/** Divides this many bytes among them. */
export function storeMemory(bytes: number): StoreMemory {
  const share = (part: number) =>
    Math.floor(Math.max(LEAST_BYTES, Math.min(bytes, STORE_MEMORY_BYTES) * part));
  return {
    writerCacheBytes: share(1 / 4),
    readerCacheBytes: share(1 / 16),
    waitingBytes: share(1 / 8),
    recentIds: Math.floor(share(1 / 2) / ID_BYTES),
  };
}
