import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { closeQuietly } from "../../lib/base/close_quietly.ts";
import {
  asSqliteError,
  openReader,
  openWriter,
  type SqliteSchema,
  transaction,
} from "../../lib/sqlite/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { assertSqliteError, count, NUMBERS, thrownBy, value } from "./support.ts";

function names({ path }: Scratch): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("openWriter() makes a file that does not exist, and one that is empty", () => {
  using scratch = new Scratch();
  for (const path of [scratch.at("new.db"), scratch.write("empty.db", "")]) {
    const db = openWriter(path, { schema: NUMBERS });
    db.exec("INSERT INTO number VALUES (1)");
    db.close();
    const again = openWriter(path, { schema: NUMBERS });
    assertEquals(count(again), 1);
    again.close();
  }
  assertEquals(names(scratch), ["empty.db", "new.db"]);
});

Deno.test("openWriter() sets what it is told", () => {
  using scratch = new Scratch();
  const settings = { off: 0, normal: 1, full: 2 } as const;
  for (const [synchronous, number] of Object.entries(settings)) {
    const db = openWriter(scratch.at("a.db"), {
      schema: NUMBERS,
      synchronous: synchronous as keyof typeof settings,
      cacheBytes: 5_000_000,
      temporary: "memory",
      busyTimeoutMs: 77,
      maxPages: 99,
    });
    const names = ["synchronous", "cache_size", "temp_store", "busy_timeout", "max_page_count"];
    const set = names.map((name) => value(db, `PRAGMA ${name}`));
    assertEquals(set, [number, -4883, 2, 77, 99]);
    db.close();
  }
});

Deno.test("without options, commits wait for the disk and temporary tables are files", () => {
  using scratch = new Scratch();
  const db = openWriter(scratch.at("a.db"), { schema: NUMBERS, synchronous: undefined });
  const names = ["synchronous", "temp_store", "journal_mode", "foreign_keys", "busy_timeout"];
  assertEquals(names.map((name) => value(db, `PRAGMA ${name}`)), [2, 1, "wal", 0, 1000]);
  db.close();
});

Deno.test("a file of an earlier version gets the steps that it lacks, and keeps what it holds", () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  const first = openWriter(path, { schema: NUMBERS });
  first.exec("INSERT INTO number VALUES (7)");
  first.close();
  const migrations = [
    ...NUMBERS.migrations,
    "ALTER TABLE number ADD COLUMN name; UPDATE number SET name = 'seven'",
    "CREATE TABLE other (x)",
  ];
  for (let i = 0; i < 2; i++) {
    const db = openWriter(path, { schema: { ...NUMBERS, migrations } });
    assertEquals(value(db, "PRAGMA user_version"), 3);
    assertEquals(value(db, "SELECT name FROM number WHERE value = 7"), "seven");
    assertEquals(value(db, "SELECT count(*) FROM other"), 0);
    db.close();
  }
  const error = assertSqliteError(() => openWriter(path, { schema: NUMBERS }), path);
  assertEquals([error.code, error.version], ["newer", 3]);
  assertStringIncludes(error.message, "its version is 3 and this program knows up to 1");
});

Deno.test("a migration that fails leaves the file at the version that it had", () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  openWriter(path, { schema: NUMBERS }).close();
  const migrations = [...NUMBERS.migrations, "CREATE TABLE other (x)", "NO SQL AT ALL"];
  const error = assertSqliteError(
    () => openWriter(path, { schema: { ...NUMBERS, migrations } }),
    path,
  );
  assertEquals(error.code, "failed");
  const db = openWriter(path, { schema: NUMBERS });
  assertEquals(value(db, "SELECT count(*) FROM sqlite_schema"), 1);
  db.close();
});

const OTHERS: Record<string, (path: string, schema: SqliteSchema) => void> = {
  "another program's database": (path) => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
    db.close();
  },
  "another program's empty database with a mark": (path) => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA application_id = 77");
    db.close();
  },
  "another program's empty database with a version": (path) => {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 1");
    db.close();
  },
  "a database of another kind of ours": (path, schema) => {
    openWriter(path, { schema: { ...schema, applicationId: schema.applicationId + 1 } }).close();
  },
};

for (const [name, make] of Object.entries(OTHERS)) {
  Deno.test(`${name} is refused and stays as it is`, () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    make(path, NUMBERS);
    const before = Deno.readFileSync(path);
    const error = assertSqliteError(() => openWriter(path, { schema: NUMBERS }), path);
    assertEquals(error.code, "foreign");
    assertEquals(Deno.readFileSync(path), before);
    assertEquals(names(scratch), ["a.db"]);
  });
}

Deno.test("readers see what the writer committed, and go on while it writes", () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  const writer = openWriter(path, { schema: NUMBERS });
  const readers = [openReader(path), openReader(path, { busyTimeoutMs: 0, cacheBytes: 100_000 })];
  writer.exec("BEGIN IMMEDIATE; INSERT INTO number VALUES (1)");
  assertEquals(readers.map(count), [0, 0]);
  writer.exec("COMMIT");
  assertEquals(readers.map(count), [1, 1]);
  for (const reader of readers) {
    const thrown = thrownBy(() => reader.exec("INSERT INTO number VALUES (2)"));
    assertEquals(asSqliteError(thrown, path, "write to").code, "read-only");
    reader.close();
  }
  writer.close();
});

Deno.test("openReader() makes no file", () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  assertEquals(assertSqliteError(() => openReader(path), path).code, "failed");
  assertEquals(names(scratch), []);
});

Deno.test("closeQuietly() closes once, and does not mind being called again", () => {
  using scratch = new Scratch();
  const db = openWriter(scratch.at("a.db"), { schema: NUMBERS });
  closeQuietly(db);
  closeQuietly(db);
  closeQuietly(undefined);
  assertEquals(names(scratch), ["a.db"]);
});

Deno.test("a database in memory is one connection's own", () => {
  const [one, other] = [1, 2].map(() => openWriter(":memory:", { schema: NUMBERS }));
  transaction(one!, () => one!.exec("INSERT INTO number VALUES (1)"));
  assertEquals([count(one!), count(other!)], [1, 0]);
  one!.close();
  other!.close();
});
