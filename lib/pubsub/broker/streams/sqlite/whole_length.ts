/** Where the header of a database tells the size of its pages, and how many it has. */
const PAGE_SIZE_AT = 16, PAGES_AT = 28;
const HEADER_BYTES = 100;

/** A page size of 65,536 is written as this. */
const LARGEST = 1;

/** Where the header of a log tells the size of a page. */
const LOG_PAGE_SIZE_AT = 8;

/**
 * The size that a database's file should have, by its own header; `undefined` if it has that, or more.
 * SQLite reads nothing of a file that was cut off, and removes the log of an empty one. So an empty file
 * should have the size of one page; the log has the others.
 */
export function missingLength(path: string): number | undefined {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  const count = file.readSync(bytes);
  if (count === null) return logPageBytes(path);
  if (count !== HEADER_BYTES) return undefined;
  const header = new DataView(bytes.buffer);
  const pageBytes = header.getUint16(PAGE_SIZE_AT);
  const length = (pageBytes === LARGEST ? 65_536 : pageBytes) * header.getUint32(PAGES_AT);
  return file.statSync().size < length ? length : undefined;
}

/**
 * Copies a database that was cut off, with its log, and gives the copy its whole length: what is
 * missing are pages of zeros, which cannot be read, and the others can.
 */
export async function copyInWholeLength(path: string, to: string, length: number): Promise<void> {
  await Deno.copyFile(path, to);
  await Deno.copyFile(`${path}-wal`, `${to}-wal`).catch(() => {});
  await Deno.truncate(to, length);
}

/** The size of a page, where there is a log that tells it. */
function logPageBytes(path: string): number | undefined {
  try {
    using file = Deno.openSync(`${path}-wal`);
    const bytes = new Uint8Array(LOG_PAGE_SIZE_AT + 4);
    if (file.readSync(bytes) !== bytes.length) return undefined;
    return new DataView(bytes.buffer).getUint32(LOG_PAGE_SIZE_AT);
  } catch {
    return undefined;
  }
}
