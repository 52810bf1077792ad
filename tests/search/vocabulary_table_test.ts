import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { VocabularyTable } from "../../lib/search/index/vocabulary_table.ts";
import { vocabularyTable } from "../../lib/search/index/word_schema.ts";
import { openIndexWriter } from "../../lib/search/index/open_index.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";
import { yieldToMessages } from "../../lib/search/index/yield_to_messages.ts";
import { initialOf, isSpellable, lettersOf } from "../../lib/search/words/vocabulary_word.ts";
import { wordsOf } from "../../lib/search/words/words.ts";
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

Deno.test("a table that is made anew has the words that can be spelled, and in how many entries", async () => {
  using db = openIndexWriter(":memory:", { temporary: true });
  const store = new RecordStore(db);
  const long = "a".repeat(41);
  const texts = [
    `Marble of C++ and naïve кролик ${long} x1 42`,
    `marble кролик 中文 🐶 ${long.slice(1)} marble ошибка 🐶🐱`,
    "ab marble ελληνικα नमस्ते",
  ];
  store.change(() => texts.forEach((text, i) => store.put({ key: `${i}`, title: "", text })));
  await store.words.vocabulary.rebuild(new AbortController().signal);
  const rows = db.prepare("SELECT initial, letters, word, entries FROM vocabulary").all();
  const made = rows.map(({ initial, letters, word, entries }) => [initial, letters, word, entries]);
  const expected = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(wordsOf(text).filter(isSpellable))) {
      expected.set(word, (expected.get(word) ?? 0) + 1);
    }
  }
  assertEquals(expected.get("кролик"), 2);
  assertEquals(
    made.sort(([, , a], [, , b]) => String(a) < String(b) ? -1 : 1),
    [...expected].map(([word, entries]) => [initialOf(word), lettersOf(word), word, entries])
      .sort(([, , a], [, , b]) => String(a) < String(b) ? -1 : 1),
  );
});

Deno.test("words that came while the table was made anew are added in parts", async () => {
  using db = openIndexWriter(":memory:", { temporary: true });
  const store = new RecordStore(db);
  store.change(() => store.put({ key: "k", title: "", text: "marble" }));
  const { vocabulary } = store.words;
  const numberOf = (value: string) => Number(db.prepare(`SELECT ${value} AS n`).get()!["n"]);
  let isOver = false;
  const rebuilt = vocabulary.rebuild(new AbortController().signal).then(() => isOver = true);
  const letter = (n: number) => String.fromCharCode(97 + n % 26);
  const word = (_: unknown, i: number) => `new${letter(i / 676)}${letter(i / 26)}${letter(i)}`;
  vocabulary.note(Array.from({ length: 6_000 }, word).join(" "));
  transaction(db, () => vocabulary.flush());
  let most = 0;
  while (!isOver) {
    const before = numberOf("total_changes()");
    await yieldToMessages();
    most = Math.max(most, numberOf("total_changes()") - before);
  }
  await rebuilt;
  assertEquals(numberOf("(SELECT count(*) FROM vocabulary)"), 6_001);
  assertLess(most, 3_000);
});
