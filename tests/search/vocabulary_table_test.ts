import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { VocabularyTable } from "../../lib/search/index/vocabulary_table.ts";
import { vocabularyTable } from "../../lib/search/index/word_schema.ts";
import { transaction } from "../../lib/sqlite/mod.ts";

/** A table that is not stale, and what it has. */
function makeTable() {
  const db = new DatabaseSync(":memory:");
  db.exec(vocabularyTable("vocabulary"));
  db.exec("INSERT INTO vocabulary VALUES ('m', 6, 'marble', 3)");
  const words = () =>
    db.prepare("SELECT word FROM vocabulary ORDER BY word").all().map(({ word }) => word);
  return { db, table: new VocabularyTable(db), words };
}

Deno.test("words are added once, whichever texts have them", () => {
  const { db, table, words } = makeTable();
  for (const text of ["marble orange 42 a1 of", "Orange marmalade", "naïve orange"]) {
    table.note(text);
    transaction(db, () => table.flush());
  }
  assertEquals(words(), ["marble", "marmalade", "naive", "orange"]);
  db.close();
});

Deno.test("words are added again when the transaction that added them was taken back", () => {
  const { db, table, words } = makeTable();
  assertThrows(() =>
    transaction(db, () => {
      table.note("orange");
      table.flush();
      throw new Error("the disk is full");
    })
  );
  table.discard();
  assertEquals(words(), ["marble"]);
  table.note("orange");
  transaction(db, () => table.flush());
  assertEquals(words(), ["marble", "orange"]);
  db.close();
});
