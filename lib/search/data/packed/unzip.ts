/** The most bytes that are unpacked of one file, whatever it says it holds. */
const MAX_UNPACKED_BYTES = 128 * 1024 * 1024;
/** The most files in it. */
const MAX_FILES = 20_000;

/**
 * Unpacks some files of a ZIP archive as text.
 *
 * The package is loaded with the first such file.
 *
 * @param wants Says which files, by their names.
 * @throws {Error} if it is no such archive, or larger than it may be.
 */
export async function unzipTexts(
  bytes: Uint8Array,
  wants: (name: string) => boolean,
): Promise<Map<string, string>> {
  const { unzipSync } = await import("fflate");
  let [total, files] = [0, 0];
  // Each file is unpacked into memory of the size that it says it has, and no further.
  const found = unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      if (++files > MAX_FILES) throw new Error(`it has more than ${MAX_FILES} files`);
      if (!wants(name)) return false;
      total += originalSize;
      if (total <= MAX_UNPACKED_BYTES) return true;
      throw new Error(`it unpacks to more than ${MAX_UNPACKED_BYTES} bytes`);
    },
  });
  const decoder = new TextDecoder();
  return new Map(Object.entries(found).map(([name, content]) => [name, decoder.decode(content)]));
}
