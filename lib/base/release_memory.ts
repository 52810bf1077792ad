/**
 * Gives memory back to the system at once; views of it are empty then. What is idle does not collect
 * garbage, so it would stay. Where the runtime is too old to do that, as Node.js 20 is, the next
 * collection does it.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const buffer = bytes.buffer as { transfer?(newLength: number): ArrayBuffer };
  buffer.transfer?.(0);
}
