import type { SqlValue, Statements } from "./statements.ts";

/** The search for readable rows ends after this many in a row that are not. */
const MAX_FAILURES = 100_000;

/** Rows of a small table that are read in one go. */
const PAGE = 1_000;
/** More are not looked for in a table that is broken: its tree may go round in a circle. */
const MAX_ROWS = 1_000_000;

/**
 * The rows of a table that can be read, in the order of their ids. Those that cannot are passed over
 * one by one, up to the largest id there ever was: a broken page hides the rows in it, and no others.
 *
 * @param table Its ids are never used again.
 * @param columns The id first.
 * @param kinds What the columns hold: `n` for a whole number, `t` for text, `b` for bytes.
 * @param onLost Is called where rows may be missing.
 */
export function* readableRows<Row extends readonly [id: number, ...rest: SqlValue[]]>(
  statements: Statements,
  table: string,
  columns: string,
  kinds: string,
  onLost: () => void,
): Iterable<Row> {
  const select = `SELECT ${columns} FROM ${table}`;
  const lastId = lastIdOf(statements, table);
  const next = `${select} WHERE id > ? ORDER BY id LIMIT 1`;
  const exact = `${select} WHERE id = ?`;
  let after = 0;
  while (true) {
    let row = attempt(() => statements.row<Row>(next, after));
    if (row === undefined) return;
    // In a broken tree the next row may be one from before.
    if (row === BROKEN || row[0] <= after) {
      onLost();
      row = undefined;
      const last = Math.min(lastId, after + MAX_FAILURES);
      while (row === undefined && after < last) {
        const found = attempt(() => statements.row<Row>(exact, ++after));
        if (found !== BROKEN && found?.[0] === after) row = found;
      }
      if (row === undefined) return;
    }
    after = row[0];
    if (isOfKinds(row, kinds)) yield row;
    else onLost();
  }
}

/** The largest id that a table has had; not known where that cannot be read. */
function lastIdOf(statements: Statements, table: string): number {
  const sql = "SELECT seq FROM sqlite_sequence WHERE name = ?";
  const row = attempt(() => statements.row<[number]>(sql, table));
  return row !== BROKEN && row && Number.isSafeInteger(row[0]) ? row[0] : Infinity;
}

/** The rows of a small table, as far as they can be read from its beginning and from its end. */
export function rowsAround<Row extends readonly SqlValue[]>(
  statements: Statements,
  select: string,
  order: string,
  kinds: string,
  onLost: () => void,
): Row[] {
  const whole = (all: readonly Row[]) => {
    const good = all.filter((row) => isOfKinds(row, kinds));
    if (good.length < all.length) onLost();
    return good;
  };
  const all = attempt(() => statements.rows<Row>(select));
  if (all !== BROKEN) return whole(all);
  onLost();
  const rows = new Map<string, Row>();
  for (const direction of ["ASC", "DESC"]) {
    const keys = order.split(", ").map((key) => `${key} ${direction}`).join(", ");
    let count = 0;
    for (let size = PAGE; size >= 1 && count < MAX_ROWS;) {
      const page = attempt(() =>
        statements.rows<Row>(`${select} ORDER BY ${keys} LIMIT +? OFFSET ?`, size, count)
      );
      if (page === BROKEN) size = Math.floor(size / 2);
      else {
        for (const row of page) rows.set(keyOf(row), row);
        count += page.length;
        if (page.length < size) break;
      }
    }
  }
  return whole([...rows.values()]);
}

/** Whether a row holds what it should. */
export function isOfKinds(row: readonly SqlValue[], kinds: string): boolean {
  return row.every((value, i) => {
    if (kinds[i] === "n") return Number.isSafeInteger(value);
    return kinds[i] === "t" ? typeof value === "string" : value instanceof Uint8Array;
  });
}

/** A row's values, other than bytes. */
function keyOf(row: readonly SqlValue[]): string {
  return JSON.stringify(row.filter((value) => !(value instanceof Uint8Array)));
}

const BROKEN: unique symbol = Symbol("broken");

function attempt<T>(read: () => T): T | typeof BROKEN {
  try {
    return read();
  } catch {
    return BROKEN;
  }
}
