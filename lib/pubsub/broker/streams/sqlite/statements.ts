import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Part of `node:sqlite` that the runtime's types do not have. */
interface ArrayStatement extends StatementSync {
  setReturnArrays(enabled: boolean): void;
}

/** A value of a row or a parameter. */
export type SqlValue = null | number | string | Uint8Array;

/**
 * The statements of one connection, each prepared when it is first used. Only the failure of a
 * prepared statement tells SQLite's result code.
 */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  /** None is prepared at first. */
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Runs a statement. @returns how many rows it changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.#of(sql).run(...values).changes);
  }

  /** The first row, its columns in order. */
  row<Row extends readonly SqlValue[]>(
    sql: string,
    ...values: readonly SqlValue[]
  ): Row | undefined {
    return this.#of(sql).get(...values) as unknown as Row | undefined;
  }

  /** All rows. */
  rows<Row extends readonly SqlValue[]>(sql: string, ...values: readonly SqlValue[]): Row[] {
    return this.#of(sql).all(...values) as unknown as Row[];
  }

  #of(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      // A row as an array is made in less time than one as an object.
      (statement as ArrayStatement).setReturnArrays(true);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
