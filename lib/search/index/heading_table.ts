import type { DatabaseSync, StatementSync } from "node:sqlite";
import { headingsOf } from "../words/heading.ts";
import { RowInserter } from "./row_inserter.ts";

/** The headings of the entries that can be found. The caller wraps the calls in transactions. */
export class HeadingTable {
  readonly #inserter: RowInserter;
  readonly #drop: StatementSync;
  #noted: (readonly [form: string, id: number])[] = [];

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#inserter = new RowInserter(db, "heading (form, id)", "(?, ?)");
    this.#drop = db.prepare("DELETE FROM heading WHERE form = ? AND id = ?");
  }

  /** Notes an entry's headings, to be written by {@linkcode HeadingTable.flush}. */
  add(id: number, title: string, key: string): void {
    for (const form of headingsOf(title, key)) this.#noted.push([form, id]);
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
    this.#inserter.insert(rows.sort(([a], [b]) => a < b ? -1 : 1));
  }

  /** Forgets what was noted: its transaction was taken back. */
  discard(): void {
    this.#noted = [];
  }
}
