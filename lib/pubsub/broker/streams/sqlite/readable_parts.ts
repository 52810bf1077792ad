/** How much is read at one time. */
const PART_BYTES = 1_048_576;

/** Where that fails, it is read again in blocks of this size, which is that of a page of a database. */
const BLOCK_BYTES = 4_096;

/** A file with more unreadable blocks is given up: the disk may try for seconds to read each. */
const MAX_UNREADABLE = 1_000;

/** A part of a file, and how many bytes of it the disk could not read: they are zeros. */
export interface ReadablePart {
  readonly bytes: Uint8Array;
  readonly unreadable: number;
}

/**
 * Reads a file in parts, as far as the disk can. Each part is valid until the next one is asked for.
 *
 * @param partBytes The size of a part.
 * @throws {Error} if it cannot be opened, or too much of it cannot be read.
 */
export function* readableParts(
  path: string,
  partBytes: number = PART_BYTES,
): Generator<ReadablePart> {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  const memory = new Uint8Array(Math.min(partBytes, size));
  let blocks = 0;
  for (let at = 0; at < size; at += partBytes) {
    const bytes = memory.subarray(0, Math.min(partBytes, size - at));
    let unreadable = 0;
    if (failureOf(file, bytes, at)) {
      for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
        const block = bytes.subarray(from, from + BLOCK_BYTES);
        const failure = failureOf(file, block, at + from);
        if (!failure) continue;
        if (++blocks > MAX_UNREADABLE) throw failure.error;
        block.fill(0);
        unreadable += block.length;
      }
    }
    yield { bytes, unreadable };
  }
}

/**
 * All of a file, as far as the disk can read it.
 *
 * @param onLost Is told of how many bytes it cannot read, if there are any.
 * @throws {Error} as {@linkcode readableParts} does.
 */
export function readableBytes(path: string, onLost: (what: string) => void = () => {}): Uint8Array {
  const all = new Uint8Array(Deno.statSync(path).size);
  let [at, unreadable] = [0, 0];
  for (const part of readableParts(path)) {
    all.set(part.bytes, at);
    at += part.bytes.length;
    unreadable += part.unreadable;
  }
  if (unreadable > 0) onLost(unreadableText(unreadable, path));
  return all;
}

/** Tells what is lost of a file. */
export function unreadableText(bytes: number, path: string): string {
  return `${bytes} bytes of ${path}, which the disk cannot read`;
}

/** Whether the disk can read a file, or the first part of it. */
export function isReadable(path: string, partBytes?: number): boolean {
  for (const { unreadable } of readableParts(path, partBytes)) {
    if (unreadable > 0) return false;
    if (partBytes !== undefined) break;
  }
  return true;
}

/** Fills memory with what a file has at a place; why that failed, if it did. */
function failureOf(
  file: Deno.FsFile,
  into: Uint8Array,
  at: number,
): { error: unknown } | undefined {
  try {
    file.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < into.length;) {
      const count = file.readSync(into.subarray(done));
      // It was cut off meanwhile.
      if (count === null) throw new Deno.errors.UnexpectedEof("the file has become shorter");
      done += count;
    }
    return undefined;
  } catch (error) {
    return { error };
  }
}
