/**
 * The thread that writes the log of commits back to the database, over a connection of its own.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../../../../base/close_quietly.ts";
import { AnsweringEnd, type LineMemory } from "../../../../base/threads/shared_line.ts";
import { openThreadPort } from "../../../../base/threads/thread_port.ts";
import {
  assertIdentity,
  asSqliteError,
  type FileIdentity,
  openWriter,
  SqliteError,
} from "../../../../sqlite/mod.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import { Statements } from "./statements.ts";
import { ERRORS } from "./thread_errors.ts";

/** What the thread is told, once. It ends when it is asked to close its connection. */
export interface LogThreadOrder {
  readonly path: string;
  /** Which file that is. */
  readonly identity: FileIdentity;
  /**
   * What it is asked for comes on it: a request without bytes is for a step, one with some to close. The
   * first one is for nothing: its answer tells that the thread is there.
   * The answer is a step's failure: its code, a line feed, the reason. Without bytes, it was done.
   */
  readonly line: LineMemory;
}

/** It does nothing by itself. */
const LOOK_MS = 60_000;

let db: DatabaseSync | undefined;

openThreadPort<LogThreadOrder, never>(ERRORS, (order) => {
  const line = new AnsweringEnd(order.line);
  line.received();
  for (let isThere = false, isOver = false; !isOver;) {
    if (line.wait(LOOK_MS) !== "asked") continue;
    isOver = line.request.length > 0;
    if (!isThere && !isOver) {
      isThere = true;
      line.answered(0);
      continue;
    }
    const failure = isOver ? closeQuietly(db) : step(order);
    if (!failure) {
      line.answered(0);
      continue;
    }
    const text = new TextEncoder().encode(`${failure.code}\n${failure.reason}`);
    line.answer.set(text.subarray(0, line.answer.length));
    line.answered(Math.min(text.length, line.answer.length));
  }
});

/** @returns why it failed, if it did. */
function step({ path, identity }: LogThreadOrder): SqliteError | undefined {
  if (db === undefined) {
    try {
      db = openWriter(path, { schema: STREAM_SCHEMA, cacheBytes: 0 });
    } catch {
      // Nothing was written. The writing thread is told so, and writes the log back itself.
      return new SqliteError("locked", path, "write to", "its log cannot be opened once more");
    }
  }
  try {
    assertIdentity(path, identity);
    new Statements(db).row("PRAGMA wal_checkpoint(PASSIVE)");
    return undefined;
  } catch (error) {
    return asSqliteError(error, path, "write to");
  }
}
