import { concat } from "@std/bytes";
import { crc32, deflateRawSync } from "node:zlib";
import type { ArchivedFile } from "./tar.ts";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
/** The flag for names in UTF-8. */
const UTF8 = 1 << 11;
const DEFLATED = 8;
/** The earliest date of the format: 1 January 1980. */
const DATE = (0 << 9) | (1 << 5) | 1;
/** Version 2.0 of the format, the first with folders and deflate. */
const VERSION = 20;
const UNIX = 3;

/**
 * Makes a zip archive (PKWARE's APPNOTE, without ZIP64). Each file must be below 4 GiB.
 *
 * @param level The compression, from 1 (fast) to 9 (small).
 */
export function zip(files: readonly ArchivedFile[], level: number): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes, executable = false } of files) {
    const nameBytes = new TextEncoder().encode(name);
    const packed = new Uint8Array(deflateRawSync(bytes, { level }));
    // These fields are in the header before the file, and again in its entry of the directory.
    const common = fields([
      [2, VERSION],
      [2, UTF8],
      [2, DEFLATED],
      [2, 0],
      [2, DATE],
      [4, crc32(bytes)],
      [4, packed.length],
      [4, bytes.length],
      [2, nameBytes.length],
      [2, 0],
    ]);
    const mode = 0o100000 | (executable ? 0o755 : 0o644);
    parts.push(fields([[4, LOCAL_HEADER]]), common, nameBytes, packed);
    directory.push(
      fields([[4, CENTRAL_HEADER], [1, VERSION], [1, UNIX]]),
      common,
      fields([[2, 0], [2, 0], [2, 0], [4, mode * 0x10000], [4, offset]]),
      nameBytes,
    );
    offset += 4 + common.length + nameBytes.length + packed.length;
  }
  const directorySize = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields([
    [4, END],
    [2, 0],
    [2, 0],
    [2, files.length],
    [2, files.length],
    [4, directorySize],
    [4, offset],
    [2, 0],
  ]);
  return concat([...parts, ...directory, end]);
}

/** Writes unsigned numbers, low byte first. */
function fields(list: readonly (readonly [size: 1 | 2 | 4, value: number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(list.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of list) {
    if (size === 1) view.setUint8(at, value);
    else if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}
