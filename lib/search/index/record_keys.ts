/**
 * By which keys the data's records are served.
 *
 * Two files may have records of the same key, as `users.csv` and `orders.csv` both have a record 1.
 * Neither replaces the other: each is then served as `FILE#KEY`. A record whose key no other file
 * has is served by the key alone. Which it is depends on the records that there are, not on the
 * order in which they came.
 *
 * @module
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { CLIENT_SOURCE, OF_DATA, recordsWithKey } from "./schema.ts";
import { fromStored, type Stored, toStored } from "./stored_text.ts";

/** What a change of keys makes necessary. */
export interface KeyEffects {
  /** A record is to be found from now on. */
  reveal(id: number): void;
  /** A record is not to be found any more. */
  hide(id: number): void;
}

/** A record, without its content. */
export interface RecordRow {
  readonly id: number;
  readonly source: number;
  readonly key: Stored;
  readonly local: Stored;
  readonly place: string | null;
  readonly shown: number;
  readonly removed: number;
}

const COLUMNS = "id, source, key, local, place, shown, removed";
const ROW = `SELECT ${COLUMNS} FROM record`;

/** Gives records their keys, and hides those whose key a client has stored or deleted. */
export class RecordKeys {
  readonly #effects: KeyEffects;
  readonly #byId: StatementSync;
  readonly #others: StatementSync;
  readonly #byKey: StatementSync;
  readonly #byLocal: StatementSync;
  readonly #client: StatementSync;
  readonly #moveDeletion: StatementSync;
  readonly #setKey: StatementSync;
  readonly #label: StatementSync;
  readonly #renamed: StatementSync;
  /** Whether any record may have another key than that of its file. */
  #hasQualified: boolean;
  #labelOf: readonly [source: number, label: string] | undefined;

  /** @param db The connection that writes; it stays the caller's. */
  constructor(db: DatabaseSync, effects: KeyEffects) {
    this.#effects = effects;
    this.#byId = db.prepare(`${ROW} WHERE id = ?`);
    // Two are enough to know: a key that two others share already does not change by one more.
    this.#others = db.prepare(`${ROW} WHERE local = ? AND source NOT IN (0, ?) LIMIT 2`);
    this.#byKey = db.prepare(recordsWithKey(COLUMNS));
    this.#byLocal = db.prepare(`${ROW} WHERE local = ?`);
    this.#hasQualified =
      db.prepare("SELECT 1 FROM record WHERE key <> local LIMIT 1").get() !== undefined;
    this.#client = db.prepare("SELECT id, removed FROM record WHERE local = ? AND source = 0");
    this.#moveDeletion = db.prepare("UPDATE record SET key = ?, local = ? WHERE id = ?");
    this.#setKey = db.prepare("UPDATE record SET key = ? WHERE id = ?");
    this.#label = db.prepare("SELECT label FROM source WHERE id = ?");
    this.#renamed = db.prepare(`${ROW} WHERE source = ? AND ${OF_DATA} AND key <> local`);
  }

  /** A record without its content. */
  rowOf(id: number): RecordRow | undefined {
    return this.#byId.get(id) as unknown as RecordRow | undefined;
  }

  /** All records with a key, shown or not: the client's, and those of the data. */
  rowsOf(key: Stored): { readonly own: RecordRow | undefined; readonly data: RecordRow[] } {
    const statement = this.#hasQualified ? this.#byKey : this.#byLocal;
    const rows = statement.all(key) as unknown as RecordRow[];
    // Most keys are new.
    if (rows.length === 0) return { own: undefined, data: rows };
    return {
      own: rows.find(({ source }) => source === CLIENT_SOURCE),
      data: rows.filter(({ source }) => source !== CLIENT_SOURCE),
    };
  }

  /**
   * Makes room for a file's record that is about to be added.
   *
   * @returns its key, and whether it is shown.
   */
  beforeAdding(local: Stored, source: number, place: string | undefined) {
    const others = this.#othersOf(local, source);
    if (others.length === 1) this.#rename(others[0]!, this.#qualified(others[0]!));
    const row = { source, local, place: place ?? null };
    const key = others.length === 0 ? local : this.#qualified(row);
    return { key, isShown: this.#client.get(key) === undefined };
  }

  /** A record was removed: another file's may have its key for itself, or be shown again. */
  afterRemoving({ source, local }: RecordRow): void {
    if (source === CLIENT_SOURCE) {
      for (const row of this.rowsOf(local).data) if (row.shown === 0) this.#effects.reveal(row.id);
      return;
    }
    const others = this.#othersOf(local, source);
    if (others.length === 1) this.#rename(others[0]!, local);
  }

  /** Hides the data's records of a key that a client has stored or deleted. */
  hideForClient(data: readonly RecordRow[]): void {
    for (const row of data) if (row.shown === 1) this.#effects.hide(row.id);
  }

  /** A file's label has changed, and with it the keys that begin with it. */
  relabel(source: number): void {
    this.#labelOf = undefined;
    for (const row of this.#renamed.all(source) as unknown as RecordRow[]) {
      this.#rename(row, this.#qualified(row));
    }
  }

  #othersOf(local: Stored, source: number): RecordRow[] {
    return this.#others.all(local, source) as unknown as RecordRow[];
  }

  #rename(row: RecordRow, key: Stored): void {
    if (same(row.key, key)) return;
    this.#setKey.run(key, row.id);
    // What a client deleted stays deleted under its other key.
    const deletion = this.#client.get(row.key);
    if (deletion?.["removed"] === 1 && this.#client.get(key) === undefined) {
      this.#moveDeletion.run(key, key, deletion["id"]!);
      return;
    }
    const isShown = this.#client.get(key) === undefined;
    if (isShown && row.shown === 0) this.#effects.reveal(row.id);
    else if (!isShown && row.shown === 1) this.#effects.hide(row.id);
  }

  /** The key that tells a record from those of the same key in other files. */
  #qualified({ source, local, place }: Pick<RecordRow, "source" | "local" | "place">): Stored {
    if (this.#labelOf?.[0] !== source) {
      this.#labelOf = [source, String(this.#label.get(source)?.["label"])];
    }
    this.#hasQualified = true;
    const label = this.#labelOf[1];
    return toStored(place === null ? `${label}#${fromStored(local)}` : label + place);
  }
}

function same(a: Stored, b: Stored): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : fromStored(a) === fromStored(b);
}
