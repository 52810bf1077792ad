import type { DatabaseSync } from "node:sqlite";
import { SqliteError } from "./sqlite_error.ts";
import { transaction } from "./transaction.ts";

/** The layout of a program's database files. */
export interface SqliteSchema {
  /** Marks a file as this program's: any number from 1 to 2^31 - 1 that nobody else uses. */
  readonly applicationId: number;
  /**
   * SQL that makes the tables, step by step: the first makes version 1 of an empty file, the second
   * version 2 of version 1, and so on. A file of an earlier version gets the steps that it lacks. A
   * step that was released is never changed again.
   */
  readonly migrations: readonly string[];
}

/**
 * Brings a file to the last version of a schema, in one transaction.
 *
 * @throws {SqliteError} `foreign`, `newer`, before anything is written.
 */
export function migrate(db: DatabaseSync, path: string, schema: SqliteSchema): void {
  const last = schema.migrations.length;
  if (versionOf(db, path, schema) === last) return;
  transaction(db, () => {
    // Another process may have done it meanwhile.
    const version = versionOf(db, path, schema);
    for (const step of schema.migrations.slice(version)) db.exec(step);
    db.exec(`PRAGMA application_id = ${schema.applicationId}; PRAGMA user_version = ${last}`);
  });
}

/**
 * The version that a file has; 0 if it is new or empty.
 *
 * @throws {SqliteError} `foreign`, `newer`.
 */
export function versionOf(db: DatabaseSync, path: string, schema: SqliteSchema): number {
  const id = pragma(db, "application_id");
  const version = pragma(db, "user_version");
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"];
  if (id === 0 && version === 0 && tables === 0) return 0;
  if (id !== schema.applicationId) {
    const reason = "it is a database of another program and stays untouched; name another file";
    throw new SqliteError("foreign", path, "use", reason);
  }
  const last = schema.migrations.length;
  if (version > last) {
    const reason = `its version is ${version} and this program knows up to ${last}; ` +
      "use the later program, or name another file";
    throw new SqliteError("newer", path, "use", reason, { version });
  }
  return version;
}

function pragma(db: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
