import type { DatabaseSync } from "node:sqlite";
import { SqliteError, type SqliteSchema } from "../../lib/sqlite/mod.ts";
import { assertEquals, assertInstanceOf } from "@std/assert";

/** A program whose files hold numbers. */
export const NUMBERS: SqliteSchema = {
  applicationId: 0x6e756d62,
  migrations: ["CREATE TABLE number (value)"],
};

/** The error that an action throws. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** Asserts that an action throws a {@linkcode SqliteError} about a file, and returns it. */
export function assertSqliteError(action: () => unknown, path: string): SqliteError {
  const error = thrownBy(action);
  assertInstanceOf(error, SqliteError);
  assertEquals(error.path, path);
  return error;
}

/** How many numbers a file holds. */
export function count(db: DatabaseSync): number {
  return Number(db.prepare("SELECT count(*) AS n FROM number").get()?.["n"]);
}

/** One value that a query gives, such as a setting. */
export function value(db: DatabaseSync, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0];
}
