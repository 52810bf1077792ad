import type { DatabaseSync, StatementSync } from "node:sqlite";
import { headingsOf } from "../words/heading.ts";

/** Headings that one statement writes: one by one they take nearly twice as long. */
const TOGETHER = 64;

/** The headings of the entries that can be found. The caller wraps the calls in transactions. */
export class HeadingTable {
  readonly #add: StatementSync;
  readonly #addMany: StatementSync;
  readonly #drop: StatementSync;
  #noted: { readonly form: string; readonly id: number }[] = [];

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    // Not OR REPLACE: for what may change several rows SQLite makes a savepoint, and FTS5 then writes
    // what it has gathered, which would take as long as all of the rest.
    const insert = "INSERT OR IGNORE INTO heading (form, id) VALUES";
    this.#add = db.prepare(`${insert} (?, ?)`);
    this.#addMany = db.prepare(`${insert} ${new Array(TOGETHER).fill("(?, ?)").join()}`);
    this.#drop = db.prepare("DELETE FROM heading WHERE form = ? AND id = ?");
  }

  /** Notes an entry's headings, to be written by {@linkcode HeadingTable.flush}. */
  add(id: number, title: string, key: string): void {
    for (const form of headingsOf(title, key)) this.#noted.push({ form, id });
  }

  /** Removes an entry's headings. */
  drop(id: number, title: string, key: string): void {
    this.flush();
    for (const form of headingsOf(title, key)) this.#drop.run(form, id);
  }

  /** Writes what was noted, in the order of the table: neighbours share a page. */
  flush(): void {
    const rows = this.#noted;
    if (rows.length === 0) return;
    this.#noted = [];
    rows.sort((a, b) => a.form < b.form ? -1 : 1);
    let done = 0;
    for (; done + TOGETHER <= rows.length; done += TOGETHER) {
      this.#addMany.run(...rows.slice(done, done + TOGETHER).flatMap(({ form, id }) => [form, id]));
    }
    for (; done < rows.length; done++) this.#add.run(rows[done]!.form, rows[done]!.id);
  }

  /** Forgets what was noted: its transaction was taken back. */
  discard(): void {
    this.#noted = [];
  }
}
