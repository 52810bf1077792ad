import { assertEquals, assertNotEquals } from "@std/assert";
import {
  assertIdentity,
  FileGuard,
  identityOf,
  openWriter,
  transaction,
} from "../../lib/sqlite/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { assertSqliteError, NUMBERS } from "./support.ts";

const ignore = Deno.build.os === "windows";

Deno.test("FileGuard lets everything pass that a writer does to its own files", () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  for (let round = 0; round < 3; round++) {
    const db = openWriter(path, { schema: NUMBERS, synchronous: "off" });
    const guard = new FileGuard(path);
    for (let i = 0; i < 20; i++) {
      transaction(db, () => db.exec("INSERT INTO number VALUES (zeroblob(100000))"));
      guard.check();
    }
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    guard.check();
    db.exec("DELETE FROM number; VACUUM");
    guard.check();
    db.close();
  }
});

Deno.test({
  name: "FileGuard follows a link to the database, beside which its files lie",
  ignore,
  fn: () => {
    using scratch = new Scratch();
    Deno.mkdirSync(scratch.at("real"));
    Deno.writeTextFileSync(scratch.at("real/a.db"), "");
    Deno.symlinkSync("real/a.db", scratch.at("link.db"));
    const db = openWriter(scratch.at("link.db"), { schema: NUMBERS });
    const guard = new FileGuard(scratch.at("link.db"));
    assertEquals(guard.identity, identityOf(scratch.at("real/a.db")));
    guard.check();
    Deno.removeSync(scratch.at("real/a.db-wal"));
    const error = assertSqliteError(() => guard.check(), scratch.at("link.db"));
    assertEquals([error.code, error.action], ["failed", "go on with"]);
    db.close();
  },
});

Deno.test({
  name: "FileGuard notices each file that is deleted, replaced, or gone before it was made",
  ignore,
  fn: () => {
    for (const end of ["", "-wal", "-shm"]) {
      for (const replaced of [false, true]) {
        using scratch = new Scratch();
        const path = scratch.at("a.db");
        const db = openWriter(path, { schema: NUMBERS });
        const guard = new FileGuard(path);
        // Another log in the place of the first is looked for once a second.
        if (!replaced || end !== "-wal") guard.check();
        if (replaced) {
          Deno.copyFileSync(path + end, scratch.at("copy"));
          Deno.renameSync(scratch.at("copy"), path + end);
        } else Deno.removeSync(path + end);
        assertEquals(assertSqliteError(() => guard.check(), path).code, "failed");
        if (!replaced) assertSqliteError(() => new FileGuard(path), path);
        db.close();
      }
    }
  },
});

Deno.test("FileGuard notices a log that somebody else has emptied, once SQLite writes behind it", () => {
  for (const others of ["empty", "cut off"]) {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const db = openWriter(path, { schema: NUMBERS });
    transaction(db, () => db.exec("INSERT INTO number VALUES (1)"));
    Deno.truncateSync(`${path}-wal`, others === "empty" ? 0 : 3);
    new FileGuard(path).check();
    transaction(db, () => db.exec("INSERT INTO number VALUES (2)"));
    const error = assertSqliteError(() => new FileGuard(path).check(), path);
    assertEquals(error.code, "failed");
    db.close();
  }
});

Deno.test("identityOf() tells files apart, and that there is none", () => {
  using scratch = new Scratch();
  const [a, b] = [scratch.write("a", ""), scratch.write("b", "")];
  assertEquals(identityOf(scratch.at("c")), undefined);
  assertEquals(identityOf(a), identityOf(a));
  if (!ignore) assertNotEquals(identityOf(a), identityOf(b));
});

Deno.test({
  name: "assertIdentity() takes no other file, and none",
  ignore,
  fn: () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const db = openWriter(path, { schema: NUMBERS });
    const { identity } = new FileGuard(path);
    db.close();
    assertIdentity(path, identity);
    Deno.renameSync(path, scratch.at("b.db"));
    assertIdentity(scratch.at("b.db"), identity);
    assertSqliteError(() => assertIdentity(path, identity), path);
    Deno.copyFileSync(scratch.at("b.db"), path);
    assertSqliteError(() => assertIdentity(path, identity), path);
  },
});

Deno.test({
  name: "FileGuard watches one more file, also behind a link, and looks as often as it is told",
  ignore,
  fn: () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const db = openWriter(path, { schema: NUMBERS });
    Deno.writeTextFileSync(scratch.at("real"), "");
    Deno.symlinkSync("real", scratch.at("link"));
    const guard = new FileGuard(path);
    assertSqliteError(() => guard.watch(scratch.at("nothing")), path);
    guard.watch(scratch.at("link"));
    guard.check();
    Deno.removeSync(scratch.at("real"));
    guard.check(60_000);
    assertEquals(assertSqliteError(() => guard.check(), path).code, "failed");
    db.close();
  },
});
