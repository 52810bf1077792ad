/**
 * The functions of `@std/bytes` that this project uses, for machines that cannot reach JSR: the
 * same names, signatures and behaviour. `deno unlink` turns to the registry's.
 *
 * @module
 */
/** Joins byte arrays into one. */
export function concat(buffers: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(buffers.reduce((total, buffer) => total + buffer.length, 0));
  let offset = 0;
  for (const buffer of buffers) {
    joined.set(buffer, offset);
    offset += buffer.length;
  }
  return joined;
}

/** Whether two arrays hold the same bytes. */
export function equals(a: Uint8Array, b: Uint8Array): boolean {
  // The global one is loaded at the first call. `import` would load it at every start, for 4 ms.
  return globalThis.Buffer.compare(a, b) === 0;
}
