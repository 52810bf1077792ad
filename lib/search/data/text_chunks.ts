/**
 * Reads a file's text piece by piece.
 *
 * @module
 */
import { type DataFile, type ReadOptions, SkipFile } from "./item.ts";
import { openFile } from "./open_file.ts";

/** A NUL in this many bytes at the beginning marks a file as binary. */
const SNIFF_BYTES = 8192;

/** Reads a file's bytes. All chunks are views of one buffer: each is good until the next one. */
export async function* fileChunks(file: DataFile, follow: boolean): AsyncGenerator<Uint8Array> {
  await using opened = await openFile(file, follow);
  yield* opened.chunks();
}

/**
 * Reads a file's text piece by piece. It is decoded as UTF-16 if it begins with UTF-16's byte order
 * mark, else as UTF-8. The mark is left out; invalid bytes become U+FFFD.
 *
 * @throws {SkipFile} if the file is binary: not UTF-16, and with a NUL near its beginning.
 */
export async function* textChunks(
  file: DataFile,
  { follow, onChunk }: ReadOptions,
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of fileChunks(file, follow)) {
    onChunk?.(chunk);
    decoder ??= new TextDecoder(encodingOf(chunk));
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield rest;
}

/** Reads a whole file's text. @throws {SkipFile} if it is larger than an entry may be. */
export async function wholeText(file: DataFile, options: ReadOptions): Promise<string> {
  let text = "";
  for await (const chunk of textChunks(file, options)) {
    text += chunk;
    if (text.length > options.maxEntryBytes) {
      throw new SkipFile(`larger than ${options.maxEntryBytes} bytes`);
    }
  }
  return text;
}

function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  if (start.subarray(0, SNIFF_BYTES).includes(0)) throw new SkipFile("binary");
  return "utf-8";
}
