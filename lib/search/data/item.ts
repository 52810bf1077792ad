/**
 * What the readers of data hand on.
 *
 * @module
 */
import type { SearchEntry } from "../types.ts";

/** A record of a file that became an entry. */
export interface ReadEntry {
  readonly entry: SearchEntry;
  /** Where the record begins, from 1; absent where the file is one entry. */
  readonly line?: number;
}

/** A record of a file that is none. */
export interface ReadBroken {
  /** What is wrong with it. */
  readonly broken: string;
  readonly line: number;
}

/** One record of a file. */
export type DataItem = ReadEntry | ReadBroken;

/** A file is left out; `message` is the reason. It never leaves the search role. */
export class SkipFile extends Error {
  override readonly name = "SkipFile";
}

/** A file cannot be read at this time; `message` is the reason. It never leaves the search role. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** A file to be read. */
export interface DataFile {
  /** Its absolute path, as the data path that it was found under was named. */
  readonly path: string;
  /** Where it is opened: the same place, with links on the way only where they are followed. */
  readonly real: string;
  /** Its path relative to the data path it was found under, with `/`. */
  readonly name: string;
}

/** How files are read. */
export interface ReadOptions {
  readonly keyField?: string;
  readonly titleField?: string;
  readonly textField?: string;
  /** The largest entry, in bytes; also of a file that is one entry. */
  readonly maxEntryBytes: number;
  /** Whether a link may lead to the file. */
  readonly follow: boolean;
  /** Is handed each chunk as it is read, before the next one overwrites it. */
  readonly onChunk?: (chunk: Uint8Array) => void;
}
