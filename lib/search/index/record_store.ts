/**
 * Writes records, and keeps the shown ones in the full-text index.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { transaction } from "../../sqlite/transaction.ts";
import type { LocalRecord } from "../data/item.ts";
import type { SearchEntry } from "../types.ts";
import { RecordKeys, type RecordRow } from "./record_keys.ts";
import { CLIENT_SOURCE } from "./schema.ts";
import { fromStored, type Stored, toStored } from "./stored_text.ts";
import { WordIndex } from "./word_index.ts";

/** What storing a record did. */
export type StoreOutcome = "added" | "updated" | "unchanged";

/** What {@linkcode RecordStore.store} did. */
export interface StoreResult {
  readonly outcome: StoreOutcome;
  readonly id: number;
}

interface Content {
  readonly local: Stored;
  readonly title: Stored;
  readonly text: Stored;
  readonly language: string | null;
}

/** Writes an index. Calls that change something are made in {@linkcode RecordStore.change}. */
export class RecordStore {
  readonly #db: DatabaseSync;
  readonly #keys: RecordKeys;
  readonly #own: StatementSync;
  readonly #anyOf: StatementSync;
  readonly #content: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #show: StatementSync;
  readonly #drop: StatementSync;
  /** The words of the shown records. */
  readonly words: WordIndex;

  readonly #language: string | undefined;

  /**
   * @param db The connection that writes; it stays the caller's.
   * @param language That of records that do not say theirs; its stemmer is loaded.
   */
  constructor(db: DatabaseSync, language?: string) {
    this.#db = db;
    this.#language = language;
    this.#keys = new RecordKeys(db, {
      reveal: (id) => this.#reveal(id),
      hide: (id) => this.#hide(id),
    });
    this.#own = db.prepare(
      "SELECT id, shown, removed FROM record WHERE local = ? AND source = ?",
    );
    this.#anyOf = db.prepare("SELECT 1 FROM record WHERE local = ?");
    this.#content = db.prepare("SELECT local, title, text, language FROM record WHERE id = ?");
    this.#insert = db.prepare(
      `INSERT INTO record (key, local, place, source, shown, removed, title, text, language)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = db.prepare(
      "UPDATE record SET removed = ?, place = ?, title = ?, text = ?, language = ? WHERE id = ?",
    );
    this.#show = db.prepare("UPDATE record SET shown = ? WHERE id = ?");
    this.#drop = db.prepare("DELETE FROM record WHERE id = ?");
    this.words = new WordIndex(db);
  }

  /**
   * Makes changes in one transaction.
   *
   * @param begin Which kind of transaction.
   * @returns what `action` returned.
   * @throws what `action` or SQLite throws; nothing is changed then.
   */
  change<T>(action: () => T, begin = transaction): T {
    try {
      return begin(this.#db, () => {
        const value = action();
        this.words.flush();
        return value;
      });
    } catch (error) {
      this.words.discard();
      throw error;
    }
  }

  /**
   * Stores a record of a file. It replaces the file's record of the same key.
   *
   * @param isTaken Says whether the record of the same key must not be replaced.
   * @returns `undefined` if it must not be.
   */
  store(
    source: number,
    record: LocalRecord,
    isTaken: (id: number) => boolean,
  ): StoreResult | undefined {
    const local = toStored(record.local);
    const [title, text] = [toStored(record.title), toStored(record.text)];
    // Most keys are nobody's else: then there is nothing to be told apart.
    const isKnown = this.#anyOf.get(local) !== undefined;
    const own = isKnown ? this.#own.get(local, source) : undefined;
    const place = record.place ?? null;
    const language = record.language ?? this.#language ?? null;
    if (own === undefined) {
      const { key, isShown } = isKnown
        ? this.#keys.beforeAdding(local, source, record.place)
        : { key: local, isShown: true };
      const shown = isShown ? 1 : 0;
      const { lastInsertRowid } = this.#insert.run(
        key,
        local,
        place,
        source,
        shown,
        0,
        title,
        text,
        language,
      );
      const id = Number(lastInsertRowid);
      if (isShown) this.#index(id, local, title, text, language);
      return { outcome: "added", id };
    }
    const id = Number(own["id"]);
    if (isTaken(id)) return undefined;
    if (this.#hasContent(id, title, text, language)) return { outcome: "unchanged", id };
    const isShown = own["shown"] === 1;
    if (isShown) this.words.drop(id);
    this.#update.run(0, place, title, text, language, id);
    if (isShown) this.#index(id, local, title, text, language);
    return { outcome: "updated", id };
  }

  /** Removes a record of a file. */
  remove(id: number): void {
    this.#remove(id);
  }

  /** Stores an entry of a client. It hides the data's record of the same key. */
  put(entry: SearchEntry): StoreOutcome {
    const key = toStored(entry.key);
    const [title, text] = [toStored(entry.title), toStored(entry.text)];
    const { own, data } = this.#keys.rowsOf(key);
    const language = this.#language ?? null;
    this.#keys.hideForClient(data);
    if (own === undefined) {
      const { lastInsertRowid } = this.#insert.run(
        key,
        key,
        null,
        CLIENT_SOURCE,
        1,
        0,
        title,
        text,
        language,
      );
      this.#index(Number(lastInsertRowid), key, title, text, language);
      return "added";
    }
    const { id } = own;
    const isThere = own.removed === 0;
    if (isThere && this.#hasContent(id, title, text, language)) return "unchanged";
    if (isThere) this.words.drop(id);
    this.#update.run(0, null, title, text, language, id);
    if (isThere) this.#index(id, key, title, text, language);
    else this.#reveal(id);
    return isThere ? "updated" : "added";
  }

  /**
   * Deletes a key for clients: their own record is removed, and the data's is hidden until a client
   * stores the key again.
   *
   * @returns whether there was an entry.
   */
  deleteKey(text: string): boolean {
    const key = toStored(text);
    const { own, data } = this.#keys.rowsOf(key);
    if (own?.shown !== 1 && !data.some(({ shown }) => shown === 1)) return false;
    if (data.length > 0) this.#hideKey(key, own, data);
    else if (own !== undefined) this.#remove(own.id);
    return true;
  }

  /** Notes that a client has deleted a key, whether or not there is an entry. */
  keepDeleted(text: string): void {
    const key = toStored(text);
    const { own, data } = this.#keys.rowsOf(key);
    this.#hideKey(key, own, data);
  }

  /** Names a file's records anew after the file's label has changed. */
  relabel(source: number): void {
    this.#keys.relabel(source);
  }

  #hideKey(key: Stored, own: RecordRow | undefined, data: readonly RecordRow[]): void {
    if (own === undefined) this.#insert.run(key, key, null, CLIENT_SOURCE, 0, 1, null, null, null);
    else {
      this.#hide(own.id);
      this.#update.run(1, null, null, null, null, own.id);
    }
    this.#keys.hideForClient(data);
  }

  #remove(id: number): void {
    const row = this.#keys.rowOf(id);
    if (row === undefined) return;
    if (row.shown === 1) this.words.drop(id);
    this.#drop.run(id);
    this.#keys.afterRemoving(row);
  }

  #reveal(id: number): void {
    const content = this.#content.get(id)!;
    this.#show.run(1, id);
    const { local, title, text, language } = content as unknown as Content;
    this.#index(id, local, title, text, language);
  }

  #index(id: number, local: Stored, title: Stored, text: Stored, language: string | null): void {
    const texts = { key: fromStored(local), title: fromStored(title), text: fromStored(text) };
    this.words.add(id, { ...texts, language: language ?? undefined });
  }

  #hide(id: number): void {
    this.#show.run(0, id);
    this.words.drop(id);
  }

  #hasContent(id: number, title: Stored, text: Stored, language: string | null): boolean {
    const content = this.#content.get(id);
    return content !== undefined && content["language"] === language &&
      same(content["title"], title) && same(content["text"], text);
  }
}

function same(a: unknown, b: Stored): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
