/**
 * What an engine reports while it works.
 *
 * @module
 */
import { guard } from "../base/report.ts";
import type { SearchError } from "./error.ts";

/** How much of the data was read. */
export interface IndexProgress {
  /** Bytes that were read so far. */
  readonly doneBytes: number;
  /** Bytes to read in all; unchanged files are not read. */
  readonly totalBytes: number;
  /** Entries taken in so far. */
  readonly entries: number;
  /** The file being read. */
  readonly path: string;
}

/** A record that cannot be an entry. */
export interface BrokenRecord {
  /** The file, absolute. */
  readonly path: string;
  /** The line on which the record begins, from 1. */
  readonly line: number;
  /** What is wrong with it, such as `it has no field "id"`. */
  readonly reason: string;
  /** The option of `openSearch` with which it would be an entry. */
  readonly option?: ReadOption | undefined;
}

/** A record whose key an earlier one of its file has. Its key is then `FILE:LINE`. */
export interface DuplicateKey {
  /** The key that both have. */
  readonly key: string;
  /** The file. */
  readonly path: string;
  /** The line on which the later record begins, from 1. */
  readonly line: number;
}

/** An option of `openSearch` with which something would be read, or be read in another way. */
export type ReadOption =
  | "follow"
  | "maxEntryBytes"
  | "encoding"
  | "separator"
  | "records"
  | "entries"
  | "keyField";

/** A file of the data that was skipped. */
export interface SkippedFile {
  /** The file or link, or a folder that cannot be read. */
  readonly path: string;
  /** Such as `binary`. */
  readonly reason: string;
  /** The option with which it would be read. */
  readonly option?: ReadOption | undefined;
}

/** How a file was read, where that was a guess, or not what its form promises. */
export interface ReadingNote {
  /** The file. */
  readonly path: string;
  /** The first line concerned, from 1; absent if it concerns the whole file. */
  readonly line?: number | undefined;
  /** Such as `it is no UTF-8 and was read as windows-1252, by a guess`. */
  readonly note: string;
  /** The option that would have it read in another way. */
  readonly option?: ReadOption | undefined;
}

/** A data path that is not there, or is back. */
export interface DataPathEvent {
  /** The path, absolute. */
  readonly path: string;
  /**
   * - `missing`: it is not there at the start, and is waited for;
   * - `empty`: it is an empty folder at the start, although the index has entries of it, as a mount
   *   that is not there yet;
   * - `gone`: it was there, and is not any more: its entries were removed;
   * - `back`: it is taken in again.
   */
  readonly state: "missing" | "empty" | "gone" | "back";
  /** Whether the index has entries of it, which stay. */
  readonly isKept: boolean;
}

/** Whether the system tells what changes in watched data. */
export interface WatchEvent {
  /**
   * Why it does not, as where a limit of the system is reached. All data are then looked at every 30
   * seconds instead. `undefined` once it does again.
   */
  readonly problem: string | undefined;
}

/** The outcome of one pass over the data. */
export interface IndexSummary {
  /** New records. */
  readonly added: number;
  /** Records whose title or text changed. */
  readonly updated: number;
  /** Records that were removed, because they or their file are gone. */
  readonly removed: number;
  /** Records that did not change. */
  readonly unchanged: number;
  /** Files that were read. */
  readonly filesRead: number;
  /** Files that were skipped: links, binary, too large or unreadable ones. */
  readonly skipped: number;
  /** Records that cannot be entries. */
  readonly broken: number;
  /** Guesses and oddities of files that were read. */
  readonly notes: number;
  /** Records whose key an earlier one of their file has. */
  readonly duplicates: number;
  /** How long the pass took. */
  readonly durationMs: number;
}

/**
 * Callbacks, called on the thread that opened the engine. What they throw is reported. Of broken
 * records, duplicates, notes and skipped files the first 1000 of a pass are reported one by one; the
 * summary counts all.
 */
export interface SearchObserver {
  /** Called about ten times a second while data are read, and once at the end. */
  progress?(event: IndexProgress): void;
  /** A record was skipped. */
  brokenRecord?(event: BrokenRecord): void;
  /** A key occurs more than once in a file. */
  duplicateKey?(event: DuplicateKey): void;
  /** A data path is missing, empty, gone, or back. */
  dataPath?(event: DataPathEvent): void;
  /** Watched data are looked at instead, as the system cannot watch them; or it does again. */
  watching?(event: WatchEvent): void;
  /** A file was skipped. */
  skippedFile?(event: SkippedFile): void;
  /** A file was read by a guess, or is not quite what its form promises. */
  readingNote?(event: ReadingNote): void;
  /** A pass over the data is complete: one when the engine opens, with `watch` one per change. */
  indexed?(event: IndexSummary): void;
  /** Entries changed. `generation` is the engine's new number. */
  changed?(event: { readonly generation: number }): void;
  /** A pass over watched data failed. The entries stay; the next change starts another pass. */
  failed?(error: SearchError): void;
  /** A worker died, and another one took its place. */
  workerReplaced?(event: { readonly role: WorkerRole; readonly reason: string }): void;
}

/** What a worker does: it searches, writes the index, or parses large requests. */
export type WorkerRole = "search" | "index" | "parse";

/** An event on its way from the index worker to the observer. */
export type ObserverEvent =
  | { readonly name: "progress"; readonly event: IndexProgress }
  | { readonly name: "brokenRecord"; readonly event: BrokenRecord }
  | { readonly name: "duplicateKey"; readonly event: DuplicateKey }
  | { readonly name: "dataPath"; readonly event: DataPathEvent }
  | { readonly name: "watching"; readonly event: WatchEvent }
  | { readonly name: "skippedFile"; readonly event: SkippedFile }
  | { readonly name: "readingNote"; readonly event: ReadingNote }
  | { readonly name: "indexed"; readonly event: IndexSummary };

/** Calls an observer's method: an entry that is stored is stored, even if the observer fails. */
export function notify(call: () => unknown): void {
  guard("The observer of a search engine failed", call);
}
