import { type JournalRun, recordBytes, writeRecord } from "./record.ts";
import { JOURNAL_BYTES, RECORDS_AT } from "./layout.ts";

/** The file of a journal. */
export interface JournalFile {
  /** Writes bytes at a place. @throws {Error} if they are not all written. */
  write(bytes: Uint8Array, at: number): void;
  /** Returns once all that was written is on the disk. */
  sync(): void;
  close(): void;
}

/**
 * Publications that are on the disk and not in the database yet. Writing one of them there changes
 * some pages of 4 KiB, writing it here only its own bytes; and the file has its size already, so that
 * syncing it writes nothing else.
 *
 * The file is written from its beginning to its end. Once the database has all of it, it begins
 * again, with another salt: what is left of before is nothing then. As the database tells the salt,
 * one commit there both stores the messages and empties the journal.
 */
export class Journal {
  readonly #file: JournalFile;
  /** What the file holds: whoever writes the messages to the database takes them from here. */
  readonly #image = new Uint8Array(JOURNAL_BYTES);
  #salt: number;
  /** Where the next record begins; where the next write does; up to where all is on the disk. */
  #at = RECORDS_AT;
  #written = RECORDS_AT;
  #synced = RECORDS_AT;

  /** Begins in a file of {@linkcode JOURNAL_BYTES}. @param salt As the database has it. */
  constructor(file: JournalFile, salt: number) {
    this.#file = file;
    this.#salt = salt;
  }

  /** The bytes that it still takes. */
  get room(): number {
    return this.#image.length - this.#at;
  }

  /** Whether nothing was written since it began. */
  get isEmpty(): boolean {
    return this.#written === RECORDS_AT;
  }

  /**
   * Adds a run, for which there must be room; `write` writes it.
   *
   * @returns its frames, in memory that stays as it is until the journal begins again.
   */
  add(run: JournalRun): Uint8Array {
    const place = { salt: this.#salt, at: this.#at, synced: this.#synced };
    this.#at += recordBytes(run.frames.length);
    return writeRecord(this.#image, run, place);
  }

  /**
   * Writes what was added.
   *
   * @param isSynced Whether it is on the disk when this returns.
   * @throws {Error} if it cannot be written. Whether a part of it was, nobody knows: then the journal
   * must begin again before more is written.
   */
  write(isSynced: boolean): void {
    this.#file.write(this.#image.subarray(this.#written, this.#at), this.#written);
    this.#written = this.#at;
    if (!isSynced) return;
    this.#file.sync();
    this.#synced = this.#written;
  }

  /** Forgets what was added and not written. */
  takeBack(): void {
    this.#at = this.#written;
  }

  /** Begins again: the database, which has all that was written, has the new salt. */
  restart(salt: number): void {
    this.#salt = salt;
    this.#at = this.#written = this.#synced = RECORDS_AT;
  }

  /** Closes the file, and leaves it as it is. */
  close(): void {
    this.#file.close();
  }
}
