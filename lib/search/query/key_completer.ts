import type { DatabaseSync, StatementSync } from "node:sqlite";
import { MAX_SHOWN_TITLE } from "../limits.ts";
import type { Effort } from "./effort.ts";

/** What is read of an entry for a completion. */
export const SHOWN_COLUMNS: string = `key, substr(title, 1, ${MAX_SHOWN_TITLE}) AS title`;

/** A row of {@linkcode SHOWN_COLUMNS}. */
export type Shown = Readonly<Record<string, unknown>>;

/**
 * The two indexes that have the keys of records, by the column of each, and what of it is served. Most
 * records are in the first one only; those of the second one are in both.
 */
const INDEXES = [
  { column: "local", has: "TRUE", serves: "key = local AND shown = 1" },
  { column: "key", has: "key <> local", serves: "shown = 1" },
] as const;

/** The first records of an index from one key on and before another. */
function between({ column, has }: typeof INDEXES[number], most: string, columns: string): string {
  return `SELECT ${columns} FROM record WHERE ${column} >= ?1 AND ${column} < ?2 AND ${has}
    ORDER BY ${column} LIMIT +${most}`;
}

const [LOCAL, OTHER] = INDEXES;

/** The first of both indexes, and which of them are served by the keys of the first one. */
const FIRST = `SELECT * FROM (${
  between(LOCAL, "?3", `${SHOWN_COLUMNS}, ${LOCAL.serves} AS served`)
}) UNION ALL SELECT * FROM (${between(OTHER, "1", "NULL, NULL, FALSE")})`;

/** Those that are served, in the order of their keys. To sort them all would take too long. */
const SERVED = `${
  INDEXES.map((index) =>
    `SELECT * FROM (SELECT key, title FROM
      (${between(index, "?4", `${SHOWN_COLUMNS}, local, shown`)})
      WHERE ${index.serves} LIMIT +?3)`
  ).join(" UNION ALL ")
} ORDER BY key LIMIT +?3`;

/** How many there are in both indexes, up to a number in each. */
const COUNT = `SELECT ${
  INDEXES.map((index) => `(SELECT count(*) FROM (${between(index, "?3", "1")}))`).join(" + ")
} AS n`;

/** Completes beginnings of keys. */
export class KeyCompleter {
  readonly #first: StatementSync;
  readonly #served: StatementSync;
  readonly #count: StatementSync;

  /** @param db A connection for reading; the caller closes it. */
  constructor(db: DatabaseSync) {
    this.#first = db.prepare(FIRST);
    this.#served = db.prepare(SERVED);
    this.#count = db.prepare(COUNT);
  }

  /**
   * The first entries whose keys begin with a text, in the order of their keys.
   *
   * @throws {CostlySearchError} if more records than the effort allows have to be looked at: those of
   * the same key in several files, which are served by others, and those that clients replaced.
   */
  complete(text: string, limit: number, effort: Effort): readonly Shown[] {
    // Texts that begin with `text` sort between `text` and `text` plus the last character.
    const end = `${text}\u{10ffff}`;
    const first = this.#first.all(text, end, limit);
    effort.rank(first.length);
    if (first.every((row) => row["served"] === 1)) return first;
    const most = Math.min(effort.ranked, Number.MAX_SAFE_INTEGER - 1);
    const rows = this.#served.all(text, end, limit, most);
    if (!effort.isFree) {
      const last = rows.length < limit ? end : rows.at(-1)!["key"] as string | Uint8Array;
      effort.rank(Number(this.#count.get(text, last, most + 1)!["n"]));
    }
    return rows;
  }
}
