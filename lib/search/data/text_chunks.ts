/**
 * The text of a file, piece by piece.
 *
 * @module
 */
import { type DataFile, type ReadOptions, SkipFile } from "./item.ts";
import { openFile } from "./open_file.ts";

/** How much of a file is looked at to tell text from binary. */
const SNIFF_BYTES = 8192;

/** Reads a file's bytes. Each chunk is a view of one buffer and holds only until the next one. */
export async function* fileChunks(file: DataFile, follow: boolean): AsyncGenerator<Uint8Array> {
  await using opened = await openFile(file, follow);
  yield* opened.chunks();
}

/**
 * Reads a file's text, piece by piece: UTF-8, or UTF-16 where a byte order mark says so. The mark is
 * left out, and what is not valid becomes U+FFFD.
 *
 * @throws {SkipFile} if the file is binary: if it has a NUL near its beginning and is not UTF-16.
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
