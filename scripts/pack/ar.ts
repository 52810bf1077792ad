import { concat } from "@std/bytes";
import type { ArchivedFile } from "./tar.ts";

/** Makes an archive in the common format of `ar`, of which Debian's packages are made. */
export function ar(files: readonly ArchivedFile[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [new TextEncoder().encode("!<arch>\n")];
  for (const { name, bytes } of files) {
    if (name.length > 16) throw new RangeError(`The name is too long for ar: ${name}`);
    const fields = [name.padEnd(16), "0".padEnd(12), "0".padEnd(6), "0".padEnd(6)];
    const head = `${fields.join("")}${"100644".padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`;
    parts.push(new TextEncoder().encode(head), bytes);
    // Each begins at an even offset.
    if (bytes.length % 2 === 1) parts.push(Uint8Array.of(0x0a));
  }
  return concat(parts);
}
