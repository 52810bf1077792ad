import { gzipSync } from "node:zlib";
import { type ArchivedFile, tar } from "./tar.ts";
import { archiveFile, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

/** Makes a tar archive compressed with gzip. @param level From 1 (fast) to 9 (small). */
export function tarGz(files: readonly ArchivedFile[], level: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(tar(files), { level }));
}

/**
 * Makes the release's archive for a target: its files in one folder.
 *
 * @param level The compression, from 1 (fast) to 9 (small).
 */
export function releaseArchive(
  target: Target,
  files: readonly ArchivedFile[],
  level: number,
): Uint8Array<ArrayBuffer> {
  const folder = archiveFile(target).replace(/\.(zip|tar\.gz)$/, "");
  const inFolder = files.map((file) => ({ ...file, name: `${folder}/${file.name}` }));
  return target.kernel === undefined ? zip(inFolder, level) : tarGz(inFolder, level);
}

/** The SHA-256 of bytes, in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
