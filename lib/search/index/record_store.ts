/**
 * Writes records, and keeps exactly one record of each key in the full-text index: the shown one.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { segment } from "../query/tokens.ts";
import type { SearchEntry } from "../types.ts";
import { CLIENT_SOURCE } from "./schema.ts";
import { type Stored, toStored } from "./stored_text.ts";

/** What storing a record did. */
export type StoreOutcome = "added" | "updated" | "unchanged";

/** What {@linkcode RecordStore.store} did. */
export interface StoreResult {
  readonly outcome: StoreOutcome;
  readonly id: number;
  /** A source of the data that has a record with the same key, if there is one. */
  readonly otherSource: number | undefined;
}

interface RecordRow {
  readonly id: number;
  readonly source: number;
  readonly shown: number;
  readonly removed: number;
}

/** Writes an index. The caller wraps the calls in transactions. */
export class RecordStore {
  readonly #byKey: StatementSync;
  readonly #content: StatementSync;
  readonly #winner: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #show: StatementSync;
  readonly #drop: StatementSync;
  readonly #addWords: StatementSync;
  readonly #dropWords: StatementSync;

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync) {
    this.#byKey = db.prepare("SELECT id, source, shown, removed FROM record WHERE key = ?");
    this.#content = db.prepare("SELECT title, text FROM record WHERE id = ?");
    this.#winner = db.prepare(`SELECT record.id AS id, removed FROM record
      JOIN source ON source.id = record.source JOIN root ON root.id = source.root
      WHERE key = ? ORDER BY root.ordinal DESC, source.path DESC LIMIT 1`);
    this.#insert = db.prepare(
      "INSERT INTO record (key, source, shown, removed, title, text) VALUES (?, ?, 0, ?, ?, ?)",
    );
    this.#update = db.prepare("UPDATE record SET removed = ?, title = ?, text = ? WHERE id = ?");
    this.#show = db.prepare("UPDATE record SET shown = ? WHERE id = ?");
    this.#drop = db.prepare("DELETE FROM record WHERE id = ?");
    this.#addWords = db.prepare("INSERT INTO words (rowid, key, title, text) VALUES (?, ?, ?, ?)");
    this.#dropWords = db.prepare("DELETE FROM words WHERE rowid = ?");
  }

  /** Stores an entry as a record of a source. It replaces the source's record of the same key. */
  store(source: number, entry: SearchEntry): StoreResult {
    const key = toStored(entry.key);
    const rows = this.#rows(key);
    const own = rows.find((row) => row.source === source);
    const other = rows.find((row) => row.source !== source && row.source !== CLIENT_SOURCE);
    const otherSource = other?.source;
    const [title, text] = [toStored(entry.title), toStored(entry.text)];
    if (own === undefined) {
      const id = Number(this.#insert.run(key, source, 0, title, text).lastInsertRowid);
      this.#settle(key, { id, source, shown: 0, removed: 0 }, rows.length === 0, entry);
      return { outcome: "added", id, otherSource };
    }
    if (own.removed === 0 && this.#hasContent(own.id, title, text)) {
      return { outcome: "unchanged", id: own.id, otherSource };
    }
    this.#update.run(0, title, text, own.id);
    this.#settle(key, own, rows.length === 1, entry);
    return { outcome: own.removed === 0 ? "updated" : "added", id: own.id, otherSource };
  }

  /** Removes a record. If it was shown, the key's next record in precedence is shown instead. */
  remove(id: number, key: Stored): void {
    if (this.#rows(key).some((row) => row.id === id && row.shown === 1)) this.#hide(id);
    this.#drop.run(id);
    this.settleKey(key);
  }

  /**
   * Deletes a key for clients: their own record is removed, and the data's records are hidden until
   * a client stores the key again.
   *
   * @returns whether there was an entry.
   */
  deleteKey(text: string): boolean {
    const key = toStored(text);
    const rows = this.#rows(key);
    if (!rows.some((row) => row.shown === 1)) return false;
    const own = rows.find((row) => row.source === CLIENT_SOURCE);
    if (rows.length === 1 && own !== undefined) {
      this.#hide(own.id);
      this.#drop.run(own.id);
      return true;
    }
    if (own === undefined) this.#insert.run(key, CLIENT_SOURCE, 1, null, null);
    else this.#update.run(1, null, null, own.id);
    this.settleKey(key);
    return true;
  }

  /** Shows the key's first record in precedence, and hides the others. */
  settleKey(key: Stored): void {
    const winner = this.#winner.get(key);
    const wanted = winner !== undefined && winner["removed"] === 0 ? Number(winner["id"]) : -1;
    for (const row of this.#rows(key)) {
      if (row.shown === 1 && row.id !== wanted) this.#hide(row.id);
    }
    if (wanted < 0 || this.#rows(key).some((row) => row.shown === 1)) return;
    const content = this.#content.get(wanted)!;
    this.#reveal(wanted, key, content["title"] as Stored, content["text"] as Stored);
  }

  /** Shows a record that was just written, if it is the first in precedence. */
  #settle(key: Stored, { id, shown }: RecordRow, isOnly: boolean, entry: SearchEntry): void {
    if (!isOnly && Number(this.#winner.get(key)?.["id"]) !== id) return;
    for (const row of isOnly ? [] : this.#rows(key)) {
      if (row.shown === 1 && row.id !== id) this.#hide(row.id);
    }
    if (shown === 1) this.#dropWords.run(id);
    this.#reveal(id, key, toStored(entry.title), toStored(entry.text));
  }

  #reveal(id: number, key: Stored, title: Stored, text: Stored): void {
    this.#show.run(1, id);
    const [keyWords, titleWords] = [words(key), words(title)];
    // If the title repeats the key, its words must not count twice.
    this.#addWords.run(id, keyWords, titleWords === keyWords ? "" : titleWords, words(text));
  }

  #hide(id: number): void {
    this.#show.run(0, id);
    this.#dropWords.run(id);
  }

  #hasContent(id: number, title: Stored, text: Stored): boolean {
    const content = this.#content.get(id);
    return content !== undefined && same(content["title"], title) && same(content["text"], text);
  }

  #rows(key: Stored): RecordRow[] {
    return this.#byKey.all(key) as unknown as RecordRow[];
  }
}

const decoder = new TextDecoder();

function words(stored: Stored): string {
  return segment(typeof stored === "string" ? stored : decoder.decode(stored));
}

function same(a: unknown, b: Stored): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
