import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { asSqliteError, openWriter, SqliteError } from "../../lib/sqlite/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { NUMBERS, thrownBy } from "./support.ts";

/** Ways to run SQL: a failing `exec` has SQLite's text only, a statement its result code too. */
const RUN = {
  exec: (db: DatabaseSync, sql: string) => db.exec(sql),
  statement: (db: DatabaseSync, sql: string) => db.prepare(sql).run(),
};

/** What SQLite throws, by the code that it becomes. */
const FAILURES: Record<string, (path: string, run: (typeof RUN)["exec"]) => void> = {
  "locked"(path, run) {
    const holder = openWriter(path, { schema: NUMBERS });
    holder.exec("BEGIN IMMEDIATE");
    const other = new DatabaseSync(path, { timeout: 0 });
    try {
      run(other, "INSERT INTO number VALUES (1)");
    } finally {
      other.close();
      holder.close();
    }
  },
  "not-a-database"(path, run) {
    Deno.writeTextFileSync(path, "these are my notes, not yours".repeat(99));
    const db = new DatabaseSync(path);
    try {
      run(db, "CREATE TABLE t (x)");
    } finally {
      db.close();
    }
  },
  "read-only"(path, run) {
    openWriter(path, { schema: NUMBERS }).close();
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      run(db, "INSERT INTO number VALUES (1)");
    } finally {
      db.close();
    }
  },
  "full"(path, run) {
    const db = openWriter(path, { schema: NUMBERS, maxPages: 8 });
    try {
      run(db, "INSERT INTO number VALUES (zeroblob(100000))");
    } finally {
      db.close();
    }
  },
  "damaged"(path, run) {
    openWriter(path, { schema: NUMBERS }).close();
    const bytes = Deno.readFileSync(path);
    bytes.fill(0x5a, 4096);
    Deno.writeFileSync(path, bytes);
    const db = new DatabaseSync(path);
    try {
      run(db, "INSERT INTO number VALUES (1)");
    } finally {
      db.close();
    }
  },
  "failed"(path, run) {
    const db = openWriter(path, { schema: NUMBERS });
    try {
      run(db, "INSERT INTO nowhere VALUES (1)");
    } finally {
      db.close();
    }
  },
};

for (const [code, fail] of Object.entries(FAILURES)) {
  for (const [name, run] of Object.entries(RUN)) {
    Deno.test(`asSqliteError() knows ${code} from a failed ${name}`, () => {
      using scratch = new Scratch();
      const path = scratch.at("a.db");
      const thrown = thrownBy(() => fail(path, run)) as { readonly errcode?: number };
      assertEquals(typeof thrown.errcode, name === "exec" ? "undefined" : "number");
      const error = asSqliteError(thrown, path, "write to");
      assertEquals([error.code, error.path, error.action], [code, path, "write to"]);
      assertEquals(error.message, `Cannot write to the database ${path}: ${error.reason}`);
      assertEquals(error.cause, thrown);
    });
  }
}

Deno.test("asSqliteError() takes extended result codes by their low byte", () => {
  const extended = Object.assign(new Error("?"), { errcode: 5 | 2 << 8 });
  assertEquals(asSqliteError(extended, "a.db", "read").code, "locked");
});

Deno.test("asSqliteError() leaves its own errors alone, and takes anything else that is thrown", () => {
  const own = new SqliteError("full", "a.db", "read", "no room");
  assert(asSqliteError(own, "b.db", "open") === own);
  for (const thrown of ["text", undefined, null, 42, new TypeError("a mistake")]) {
    const error = asSqliteError(thrown, "a.db", "read");
    assertInstanceOf(error, SqliteError);
    assertEquals(error.code, "failed");
  }
});

Deno.test("a file that cannot be opened is told with what to look at", () => {
  const path = "/nowhere/at/all/a.db";
  const error = asSqliteError(thrownBy(() => new DatabaseSync(path)), path, "open");
  assertEquals(error.code, "failed");
  assertStringIncludes(error.message, "does its folder exist");
});
