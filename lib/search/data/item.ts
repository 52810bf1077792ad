/**
 * What the readers of files return, and what they are told.
 *
 * @module
 */

import type { ReadOption } from "../observer.ts";
import type { PackedFile, PackedText } from "./packed/packed_file.ts";

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
  /** The language of its texts, where the file tells it: one of `LANGUAGES`, whose stemmer is loaded. */
  readonly language?: string | undefined;
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
  /** The option with which it would be one. */
  readonly option?: ReadOption | undefined;
}

/** What is wrong with a record that is too large for an entry. */
export function tooLarge({ maxEntryBytes }: ReadSettings) {
  return { broken: `it is larger than ${maxEntryBytes} bytes`, option: "maxEntryBytes" } as const;
}

/** How a file was read, where that was not certain. */
export interface ReadNote {
  /** Such as `it is no UTF-8 and was read as windows-1252, by a guess`. */
  readonly note: string;
  /** The first line concerned, from 1; absent if it concerns the whole file. */
  readonly line?: number | undefined;
  readonly option?: ReadOption | undefined;
}

/** One thing that was found in a file. */
export type DataItem = ReadEntry | ReadBroken | ReadNote;

/** A file is not text to index. `message` says why. Only used inside the search role. */
export class SkipFile extends Error {
  override readonly name = "SkipFile";
  /** The option with which it would be read. */
  readonly option: ReadOption | undefined;

  constructor(message: string, option?: ReadOption) {
    super(message);
    this.option = option;
  }
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
  /** Its path relative to the data path it was found under, with `/`, in Unicode's NFC. */
  readonly name: string;
  /** Its size when it was found. */
  readonly bytes: number;
}

/** What decides how files are read: a file that was read with other settings is read again. */
export interface ReadSettings {
  /** The field that is the key; `false` for none. */
  readonly keyField?: string | false | undefined;
  readonly titleField?: string | undefined;
  /** The fields that are the text; none for all that hold text. */
  readonly textFields: readonly string[];
  /** Where the records of a JSON file are: names joined by dots. */
  readonly records?: string | undefined;
  /** Whether each member of a JSON object is an entry. */
  readonly entries: boolean;
  /** What separates the values of CSV. */
  readonly separator?: string | undefined;
  /** The encoding of files that do not say theirs. */
  readonly encoding?: string | undefined;
  /** The largest entry, in bytes. */
  readonly maxEntryBytes: number;
}

/** How files are read. */
export interface ReadOptions extends ReadSettings {
  /** Takes the text out of files that are no text. */
  readonly extract?: (file: PackedFile) => Promise<PackedText | { readonly problem: string }>;
  /** What the titles of pages around a page, by its `real` path, end with in common. */
  readonly siteAround?: (real: string) => Promise<string | undefined>;
  /** Whether a link may lead to the file. */
  readonly follow: boolean;
  /**
   * Is called with each chunk of the file, when it is read for the first time; the chunk's memory is
   * used again for the next one.
   */
  readonly onChunk?: (chunk: Uint8Array) => void;
  /** Is told how many bytes more of the file's records were read. */
  readonly onProgress?: (bytes: number) => void;
}
