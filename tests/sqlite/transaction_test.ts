import { assertEquals, assertThrows } from "@std/assert";
import {
  asSqliteError,
  durableTransaction,
  openReader,
  openWriter,
  readTransaction,
  transaction,
} from "../../lib/sqlite/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { count, NUMBERS, thrownBy, value } from "./support.ts";

for (const [name, run] of Object.entries({ transaction, durableTransaction })) {
  Deno.test(`${name}() commits all that was written, and returns the value`, () => {
    using scratch = new Scratch();
    const db = openWriter(scratch.at("a.db"), { schema: NUMBERS });
    const other = openReader(scratch.at("a.db"));
    const result = run(db, () => {
      db.exec("INSERT INTO number VALUES (1), (2)");
      assertEquals(count(other), 0);
      return "done";
    });
    assertEquals([result, count(other)], ["done", 2]);
    other.close();
    db.close();
  });

  Deno.test(`${name}() that throws writes nothing, and the connection can go on`, () => {
    using scratch = new Scratch();
    const db = openWriter(scratch.at("a.db"), { schema: NUMBERS });
    for (let i = 0; i < 3; i++) {
      const mistake = new Error("changed my mind");
      const thrown = thrownBy(() =>
        run(db, () => {
          db.exec("INSERT INTO number VALUES (1)");
          throw mistake;
        })
      );
      assertEquals(thrown, mistake);
    }
    assertEquals(count(db), 0);
    run(db, () => db.exec("INSERT INTO number VALUES (1)"));
    assertEquals(count(db), 1);
    db.close();
  });

  Deno.test(`${name}() on a full disk throws what is full, and what was there stays`, () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const db = openWriter(path, { schema: NUMBERS, maxPages: 20 });
    run(db, () => db.exec("INSERT INTO number VALUES (1)"));
    const thrown = thrownBy(() =>
      run(db, () => {
        db.exec("INSERT INTO number VALUES (2)");
        db.prepare("INSERT INTO number VALUES (zeroblob(200000))").run();
      })
    );
    assertEquals(asSqliteError(thrown, path, "write to").code, "full");
    assertEquals(count(db), 1);
    run(db, () => db.exec("INSERT INTO number VALUES (3)"));
    assertEquals(count(db), 2);
    db.close();
  });

  Deno.test(`${name}() fails before its action where another connection writes`, () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const holder = openWriter(path, { schema: NUMBERS });
    const db = openWriter(path, { schema: NUMBERS, busyTimeoutMs: 0 });
    holder.exec("BEGIN IMMEDIATE");
    const thrown = thrownBy(() => run(db, () => db.exec("INSERT INTO number VALUES (1)")));
    assertEquals((thrown as { errcode: number }).errcode, 5);
    assertEquals(asSqliteError(thrown, path, "write to").code, "locked");
    holder.exec("COMMIT");
    run(db, () => db.exec("INSERT INTO number VALUES (1)"));
    assertEquals(count(db), 1);
    holder.close();
    db.close();
  });
}

Deno.test("durableTransaction() waits for the disk, and only it does", () => {
  using scratch = new Scratch();
  for (const [synchronous, within] of [["normal", 2], ["full", 2], ["off", 0]] as const) {
    const db = openWriter(scratch.at(`${synchronous}.db`), { schema: NUMBERS, synchronous });
    const before = value(db, "PRAGMA synchronous");
    for (let i = 0; i < 2; i++) {
      assertEquals(durableTransaction(db, () => value(db, "PRAGMA synchronous")), within);
    }
    assertEquals(transaction(db, () => value(db, "PRAGMA synchronous")), before);
    assertThrows(() =>
      durableTransaction(db, () => {
        throw new Error("changed my mind");
      })
    );
    assertEquals(transaction(db, () => value(db, "PRAGMA synchronous")), before);
    db.close();
  }
});

Deno.test("readTransaction() reads one state, also where an earlier one threw", () => {
  using scratch = new Scratch();
  using db = openWriter(scratch.at("a.db"), { schema: NUMBERS });
  using reader = openReader(scratch.at("a.db"));
  const mistake = new Error("changed my mind");
  const thrown = thrownBy(() =>
    readTransaction(reader, () => {
      assertEquals(count(reader), 0);
      throw mistake;
    })
  );
  assertEquals(thrown, mistake);
  db.exec("INSERT INTO number VALUES (1)");
  const counts = readTransaction(reader, () => {
    const before = count(reader);
    db.exec("DELETE FROM number");
    return [before, count(reader)];
  });
  assertEquals([counts, count(reader)], [[1, 1], 0]);
});
