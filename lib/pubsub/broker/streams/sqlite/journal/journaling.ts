import type { Statements } from "../statements.ts";
import type { Journal } from "./journal.ts";
import { JOURNAL_BYTES } from "./layout.ts";

/** Larger batches are written to the database at once: there they cost as much as here. */
export const MAX_BATCH_BYTES = 262_144;

/** A journal that could not be made is tried again after this time. */
const RETRY_MS = 10_000;

/** The first salt of a process is a whole number of 52 bits; each that follows is larger by one. */
const HIGH = 2 ** 20 - 1;

/** Opens a journal with a salt. @throws {Error} if that cannot be done. */
export type OpenJournal = (salt: number) => Journal;

/** The journal of a store, which is made when it is first of use; and its salt in the database. */
export class Journaling {
  readonly #statements: Statements;
  readonly #open: OpenJournal;
  readonly #leftSalt: number;
  #salt = 0;
  #nextSalt = 0;
  #journal: Journal | undefined;
  #openAt = -Infinity;
  /** Whether a write failed: what the file holds is not known. */
  #isBroken = false;

  /**
   * @param statements Those of the connection that writes.
   * @param leftSalt The salt of the first record that the file has; 0 if it has none.
   */
  constructor(statements: Statements, open: OpenJournal, leftSalt = 0) {
    this.#leftSalt = leftSalt;
    this.#statements = statements;
    this.#open = open;
  }

  /** Whether it has to begin again before it takes more. */
  get isFull(): boolean {
    return this.#isBroken || (this.#journal?.room ?? JOURNAL_BYTES) < MAX_BATCH_BYTES;
  }

  /** The journal, if it has room for this many bytes now. */
  with(room: number, now: number): Journal | undefined {
    if (this.#isBroken) return undefined;
    if (this.#journal === undefined && Math.abs(now - this.#openAt) >= RETRY_MS) {
      this.#openAt = now;
      try {
        this.#journal = this.#open(this.#salt);
        // From here on, a start without the file knows that it is missing.
        this.#statements.run("INSERT OR REPLACE INTO counter VALUES ('journal-file', 1)");
      } catch {
        // Then all goes to the database, as it would without a journal; it tells of a full disk.
      }
    }
    return this.#journal && this.#journal.room >= room ? this.#journal : undefined;
  }

  /** Has the database tell another salt, as it has all of the journal. Called within a commit. */
  renew(): void {
    this.#nextSalt = 0;
    if (this.#salt !== 0 && !this.#isBroken && (this.#journal?.isEmpty ?? true)) return;
    this.#nextSalt = this.#salt === 0 ? firstSalt() : this.#salt + 1;
    const sql = "INSERT OR REPLACE INTO counter VALUES (?, ?)";
    this.#statements.run(sql, "journal", this.#nextSalt);
    // Until the first write the file still begins with its old records. A file with a salt that is
    // neither the new nor the old one is not the journal of this database.
    if (this.#salt === 0) this.#statements.run(sql, "journal-left", this.#leftSalt);
    else if (this.#isBroken) {
      this.#statements.run("DELETE FROM counter WHERE name = 'journal-left'");
    }
  }

  /** That commit is on the disk: the journal begins again. */
  renewed(): void {
    if (this.#nextSalt === 0) return;
    this.#salt = this.#nextSalt;
    this.#nextSalt = 0;
    this.#journal?.restart(this.#salt);
    this.#isBroken = false;
  }

  /** A write failed. */
  broken(): void {
    this.#journal?.takeBack();
    this.#isBroken = true;
  }

  /** Closes the file. @param isDone Whether the database has all of it. */
  close(isDone: boolean): void {
    try {
      if (isDone) this.#statements.run("DELETE FROM counter WHERE name = 'journal-file'");
    } catch {
      // Then a start without the file does not know that nothing is missing.
    }
    this.#journal?.close();
  }
}

function firstSalt(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
  return 1 + (high & HIGH) * 2 ** 32 + low;
}
