/** Memory of this size and more is large. */
export const LARGE_BYTES = 262_144;

/** Whether large memory has been used, and who wants to know when it first is. */
let isUsed = false;
let onFirst: (() => void) | undefined;

/**
 * Calls a function once, before large memory is used for the first time; at once if it has been used.
 * The program may then choose how the process gets and frees it.
 */
export function onLargeMemory(listener: () => void): void {
  if (isUsed) listener();
  else onFirst = listener;
}

/** Says that large memory may be used from now on where nobody asks here for it, as by a thread. */
export function useLargeMemory(): void {
  if (isUsed) return;
  isUsed = true;
  onFirst?.();
}

/** Makes memory that may be large. */
export function makeMemory(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes >= LARGE_BYTES) useLargeMemory();
  return new Uint8Array(bytes);
}

/**
 * Gives memory back to the system at once; views of it are empty then. What is idle does not collect
 * garbage, so it would stay. Where the runtime is too old to do that, as Node.js 20 is, the next
 * collection does it.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const buffer = bytes.buffer as { transfer?(newLength: number): ArrayBuffer };
  buffer.transfer?.(0);
}
