/**
 * The text of a file, which can be read several times: first to find out how it is written.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { encodingOf, looksLikeText } from "./encoding.ts";
import {
  type DataFile,
  type ReadNote,
  type ReadOptions,
  SkipFile,
  UnreadableFile,
} from "./item.ts";
import { guessEncoding } from "./guess_encoding.ts";
import { openFile } from "./open_file.ts";

/** The text of a smaller file is kept, so that it is read from the disk once. */
const KEPT_BYTES = 1024 * 1024;

/** The most that is kept of a file that has grown since it was found. */
const MAX_GROWN_BYTES = 16 * KEPT_BYTES;

/** Reads a file's bytes. All chunks are views of one buffer: each is good until the next one. */
export async function* fileChunks(file: DataFile, follow: boolean): AsyncGenerator<Uint8Array> {
  await using opened = await openFile(file, follow);
  yield* opened.chunks();
}

/**
 * Reads a whole file.
 *
 * @throws {SkipFile} if it is larger than `maxBytes`.
 * @throws {UnreadableFile} if it cannot be read at this time.
 */
export async function fileBytes(
  file: DataFile,
  options: ReadOptions,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of fileChunks(file, options.follow)) {
    options.onChunk?.(chunk);
    length += chunk.length;
    if (length > maxBytes) {
      // It has grown since it was found, and is read by the next pass.
      if (file.bytes <= maxBytes) throw new UnreadableFile("it grew while it was read");
      throw new SkipFile(`larger than ${maxBytes} bytes`);
    }
    parts.push(chunk.slice());
  }
  return concat(parts);
}

/** The text of one file. */
export class TextSource {
  /** How the text was decoded, where that was a guess. */
  readonly note: ReadNote | undefined;
  readonly #file: DataFile;
  readonly #options: ReadOptions;
  readonly #label: string;
  readonly #kept: string | undefined;
  #taken = 0;

  private constructor(
    file: DataFile,
    options: ReadOptions,
    { label, note, kept }: { label: string; note?: string | undefined; kept?: string | undefined },
  ) {
    this.#file = file;
    this.#options = options;
    this.#label = label;
    this.#kept = kept;
    this.note = note === undefined ? undefined : { note, option: "encoding" };
  }

  /**
   * Finds out how a file is encoded: by its byte order mark, by what HTML or XML says in it, by
   * what the caller says; else it is UTF-8, and where its bytes are not that, it is guessed.
   *
   * @param markup Whether it is HTML or XML.
   * @throws {SkipFile} if it is binary, or empty.
   * @throws {UnreadableFile} if it cannot be read at this time.
   */
  static async open(file: DataFile, options: ReadOptions, markup = false): Promise<TextSource> {
    const found = file.bytes <= KEPT_BYTES
      ? await decodeKept(file, options, markup)
      : await checkLarge(file, options, markup);
    return new TextSource(file, options, found);
  }

  /** How much of the text was taken since it was last read from its beginning, in code units. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * The text, piece by piece, without its byte order mark.
   *
   * @param isLast Whether it is read for the last time: this is told as progress.
   */
  async *chunks(isLast = false): AsyncGenerator<string> {
    const tell = isLast ? this.#options.onProgress : undefined;
    this.#taken = 0;
    if (this.#kept !== undefined) {
      tell?.(this.#file.bytes);
      this.#taken = this.#kept.length;
      yield this.#kept;
      return;
    }
    const decoder = new TextDecoder(this.#label);
    for await (const chunk of fileChunks(this.#file, this.#options.follow)) {
      tell?.(chunk.length);
      const text = decoder.decode(chunk, { stream: true });
      this.#taken += text.length;
      if (text !== "") yield text;
    }
    const rest = decoder.decode();
    if (rest !== "") yield rest;
  }

  /** The beginning of the text, about `length` code units. */
  async beginning(length: number): Promise<string> {
    let text = "";
    for await (const chunk of this.chunks()) {
      text += chunk;
      if (text.length >= length) break;
    }
    return text.slice(0, length);
  }
}

interface Found {
  readonly label: string;
  readonly note?: string | undefined;
  readonly kept?: string | undefined;
}

async function decodeKept(file: DataFile, options: ReadOptions, markup: boolean): Promise<Found> {
  const bytes = await fileBytes(file, options, MAX_GROWN_BYTES);
  const encoding = startOf(bytes, options, markup);
  if (encoding.certainty !== "assumed") {
    return { ...described(encoding), kept: new TextDecoder(encoding.label).decode(bytes) };
  }
  try {
    return { label: "utf-8", kept: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    const found = await otherThanUtf8(bytes, bytes, 0);
    return { ...found, kept: new TextDecoder(found.label).decode(bytes) };
  }
}

/** A character that is cut off at the end of a text. */
const CUT_OFF = new Uint8Array([0xe9]);

/** Reads a large file once to see whether it is UTF-8 throughout. */
async function checkLarge(file: DataFile, options: ReadOptions, markup: boolean): Promise<Found> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let start: Uint8Array | undefined;
  let found: Found | undefined;
  let wide = 0;
  let broken: Uint8Array | undefined;
  for await (const chunk of fileChunks(file, options.follow)) {
    options.onChunk?.(chunk);
    if (start === undefined) {
      start = chunk.slice();
      const encoding = startOf(start, options, markup);
      if (encoding.certainty !== "assumed") found = described(encoding);
    }
    if (found !== undefined || broken !== undefined) continue;
    try {
      wide += chunk.length - decoder.decode(chunk, { stream: true }).length;
    } catch {
      broken = chunk.slice();
    }
  }
  if (start === undefined) throw new SkipFile("empty");
  if (found !== undefined) return found;
  if (broken !== undefined) return await otherThanUtf8(broken, start, wide);
  try {
    decoder.decode();
  } catch {
    return await otherThanUtf8(CUT_OFF, start, wide);
  }
  return { label: "utf-8" };
}

function startOf(start: Uint8Array, { encoding }: ReadOptions, markup: boolean) {
  if (start.length === 0) throw new SkipFile("empty");
  const found = encodingOf(start, { markup, label: encoding });
  if (found === undefined) throw new SkipFile("binary");
  return found;
}

function described({ label, certainty }: { label: string; certainty: string }): Found {
  if (certainty !== "guessed") return { label };
  return { label, note: `it does not say its encoding and was read as ${label}, by a guess` };
}

/**
 * How a text is read whose bytes are no UTF-8. Where most characters beyond ASCII are valid, it is
 * UTF-8 that was damaged.
 *
 * @param wide By how much the bytes that were valid before outnumber their characters.
 */
async function otherThanUtf8(
  chunk: Uint8Array,
  start: Uint8Array,
  wide: number,
): Promise<Found> {
  const text = new TextDecoder().decode(chunk);
  const replaced = text.split("\ufffd").length - 1;
  const valid = text.match(/[^\p{ASCII}\ufffd]/gu)?.length ?? 0;
  if (wide + valid > replaced) {
    return { label: "utf-8", note: "some of its bytes are no UTF-8; they were read as U+FFFD" };
  }
  if (!looksLikeText(start)) throw new SkipFile("binary");
  const label = await guessEncoding(chunk);
  return { label, note: `it is no UTF-8 and was read as ${label}, by a guess` };
}
