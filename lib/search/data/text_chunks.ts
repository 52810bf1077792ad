/**
 * The text of a file, piece by piece.
 *
 * @module
 */
import { SkipFile } from "./item.ts";

const CHUNK_BYTES = 128 * 1024;
/** How much of a file is looked at to tell text from binary. */
const SNIFF_BYTES = 8192;

/**
 * Reads a file's bytes. Each chunk is a view of one buffer and holds only until the next one.
 */
export async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    yield buffer.subarray(0, n);
  }
}

/**
 * Reads a file's text, piece by piece: UTF-8, or UTF-16 where a byte order mark says so. The mark is
 * left out, and what is not valid becomes U+FFFD.
 *
 * @throws {SkipFile} if the file is binary: if it has a NUL near its beginning and is not UTF-16.
 */
export async function* textChunks(
  path: string,
  onChunk: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of fileChunks(path)) {
    onChunk(chunk);
    decoder ??= new TextDecoder(encodingOf(chunk));
    const text = decoder.decode(chunk, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder?.decode() ?? "";
  if (rest !== "") yield rest;
}

/** Reads a whole file's text. @param maxBytes A larger file is skipped. */
export async function wholeText(
  path: string,
  maxBytes: number,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<string> {
  let text = "";
  for await (const chunk of textChunks(path, onChunk)) {
    text += chunk;
    if (text.length > maxBytes) throw new SkipFile(`larger than ${maxBytes} bytes`);
  }
  return text;
}

function encodingOf(start: Uint8Array): string {
  if (start[0] === 0xff && start[1] === 0xfe) return "utf-16le";
  if (start[0] === 0xfe && start[1] === 0xff) return "utf-16be";
  if (start.subarray(0, SNIFF_BYTES).includes(0)) throw new SkipFile("binary");
  return "utf-8";
}
