/**
 * What an engine tells about its work while it does it.
 *
 * @module
 */
import type { SearchError } from "./error.ts";

/** How far the reading of data is. */
export interface IndexProgress {
  /** Bytes read so far of the files that have to be read. */
  readonly doneBytes: number;
  /** Bytes to be read in all. Unchanged files are not among them. */
  readonly totalBytes: number;
  /** Entries taken in so far. */
  readonly entries: number;
  /** The file being read. */
  readonly path: string;
}

/** A record that could not be taken in. */
export interface BrokenRecord {
  /** The file, absolute. */
  readonly path: string;
  /** The line on which the record begins, from 1. */
  readonly line: number;
  /** What is wrong with it, such as `it has no field "id"`. */
  readonly reason: string;
}

/** A key that occurs more than once in the data. The later one is served. */
export interface DuplicateKey {
  /** The key. */
  readonly key: string;
  /** The file that is being read. */
  readonly path: string;
  /** The line of the record in it, from 1; absent where the file is one entry. */
  readonly line?: number;
  /** The other file that has this key; the same as `path` for a duplicate within one file. */
  readonly otherPath: string;
}

/** A file of the data that was left out. */
export interface SkippedFile {
  /** The file, or a folder that cannot be read. */
  readonly path: string;
  /** Such as `binary`, or `larger than 4194304 bytes`. */
  readonly reason: string;
}

/** The outcome of one pass over the data. */
export interface IndexSummary {
  /** Records that were not there before. */
  readonly added: number;
  /** Records whose title or text is another one. */
  readonly updated: number;
  /** Records that went, on their own or with their file. */
  readonly removed: number;
  /** Records that stayed as they are. */
  readonly unchanged: number;
  /** Files that had to be read. */
  readonly filesRead: number;
  /** Files that were left out: binary, too large, unreadable. */
  readonly skipped: number;
  /** Records that could not be taken in. */
  readonly broken: number;
  /** Records whose key occurs more than once. */
  readonly duplicates: number;
  /** How long it took. */
  readonly durationMs: number;
}

/**
 * Callbacks, called on the thread that opened the engine. An exception from one of them is
 * ignored. Of broken records, duplicates and skipped files the first 1000 of a pass are told one by
 * one; the summary counts all.
 */
export interface SearchObserver {
  /** At most about ten times a second while data are read, and once at the end of them. */
  progress?(event: IndexProgress): void;
  /** A record was skipped. */
  brokenRecord?(event: BrokenRecord): void;
  /** A key occurs more than once in the data. */
  duplicateKey?(event: DuplicateKey): void;
  /** A file was skipped. */
  skippedFile?(event: SkippedFile): void;
  /** A pass over the data is complete: when the engine opens, and with `watch` after each change. */
  indexed?(event: IndexSummary): void;
  /** Entries changed; `generation` is the engine's number from here on. */
  changed?(event: { readonly generation: number }): void;
  /** A pass over watched data failed; the entries stay as they were, the next change tries again. */
  failed?(error: SearchError): void;
  /** A worker died. */
  workerReplaced?(event: { readonly role: "search" | "index"; readonly reason: string }): void;
}

/** An event on its way from the index worker to the observer. */
export type ObserverEvent =
  | { readonly name: "progress"; readonly event: IndexProgress }
  | { readonly name: "brokenRecord"; readonly event: BrokenRecord }
  | { readonly name: "duplicateKey"; readonly event: DuplicateKey }
  | { readonly name: "skippedFile"; readonly event: SkippedFile }
  | { readonly name: "indexed"; readonly event: IndexSummary };

/** Calls an observer's method, whatever the method does. */
export function notify(call: () => void): void {
  try {
    call();
  } catch {
    // The observer's failure is not the engine's: an entry stored is stored, whoever looks on.
  }
}
