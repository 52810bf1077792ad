/**
 * What the readers of files return, and what they are told.
 *
 * @module
 */

/** A record of a file, as it becomes an entry. */
export interface LocalRecord {
  /** Its key within its file. */
  readonly local: string;
  /**
   * What is behind the file's name in `local`, such as `:12`, or nothing; `undefined` where `local`
   * is one of the record's fields.
   */
  readonly place: string | undefined;
  readonly title: string;
  readonly text: string;
}

/** A record that was read. */
export interface ReadEntry {
  readonly entry: LocalRecord;
  /** The line on which the record begins, from 1; absent if the whole file is one entry. */
  readonly line?: number;
}

/** A record of a file that cannot be an entry. */
export interface ReadBroken {
  /** What is wrong with it. */
  readonly broken: string;
  readonly line: number;
}

/** One record of a file. */
export type DataItem = ReadEntry | ReadBroken;

/** A file is not text to index. `message` says why. Only used inside the search role. */
export class SkipFile extends Error {
  override readonly name = "SkipFile";
}

/** A file cannot be read at this time. `message` says why. Only used inside the search role. */
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
  /** The largest entry, and the largest file that is one entry, in bytes. */
  readonly maxEntryBytes: number;
  /** Whether a link may lead to the file. */
  readonly follow: boolean;
  /** Is called with each chunk of the file; the chunk's memory is used again for the next one. */
  readonly onChunk?: (chunk: Uint8Array) => void;
}
