/** A file in an archive. */
export interface ArchivedFile {
  /** Its path in the archive, with `/`; that of a folder ends with one, and has no bytes. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Whether it can be run. @default {false} */
  readonly executable?: boolean;
}

const BLOCK = 512;

/**
 * Makes a tar archive in the format of POSIX.1-1988 (ustar). Owners, times and order are fixed, so
 * the same files always make the same archive.
 */
export function tar(files: readonly ArchivedFile[]): Uint8Array<ArrayBuffer> {
  const padded = (size: number) => Math.ceil(size / BLOCK) * BLOCK;
  const total = files.reduce((sum, { bytes }) => sum + BLOCK + padded(bytes.length), 2 * BLOCK);
  const archive = new Uint8Array(total);
  let at = 0;
  for (const file of files) {
    archive.set(header(file), at);
    archive.set(file.bytes, at + BLOCK);
    at += BLOCK + padded(file.bytes.length);
  }
  return archive;
}

function header({ name, bytes, executable = false }: ArchivedFile): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string) => {
    block.set(new TextEncoder().encode(text), offset);
  };
  if (new TextEncoder().encode(name).length > 100) {
    throw new RangeError(`The name is too long for an archive: ${name}`);
  }
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  const isFolder = name.endsWith("/");
  put(0, name);
  put(100, `${octal(executable || isFolder ? 0o755 : 0o644, 7)}\0`);
  put(108, `${octal(0, 7)}\0${octal(0, 7)}\0`);
  put(124, `${octal(bytes.length, 11)}\0`);
  put(136, `${octal(0, 11)}\0`);
  put(156, isFolder ? "5" : "0");
  put(257, "ustar\0" + "00");
  // The checksum is computed with blanks in the field of the checksum.
  put(148, " ".repeat(8));
  put(148, `${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return block;
}
