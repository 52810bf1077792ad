import { DatabaseSync } from "node:sqlite";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { openIndexReader } from "../../lib/search/index/open_index.ts";
import { openSearch } from "../../lib/search/mod.ts";
import { CostlySearchError, Effort } from "../../lib/search/query/effort.ts";
import { Searcher } from "../../lib/search/query/searcher.ts";
import { Folder } from "./support.ts";

const lines = (...keys: string[]) =>
  keys.map((key) => JSON.stringify({ key, text: "x" })).join("\n");

Deno.test("keys are completed in their order, those that name their file among the others", async () => {
  await using folder = await Folder.make({
    "a.jsonl": lines("both", "a.k", "a.b", "c"),
    "b.jsonl": lines("both", "a.z"),
  });
  await using engine = await openSearch({ data: [folder.path] });
  const keys = async (prefix: string, limit = 10) =>
    (await engine.suggest(prefix, { limit })).map(({ key }) => key);
  const all = await keys("a");
  assertEquals(all.length, 4);
  assertEquals(all, ["a.b", all[1]!, "a.k", "a.z"]);
  assert(all[1]!.endsWith("#both"), all[1]!);
  for (const limit of [1, 2, 3]) assertEquals(await keys("a", limit), all.slice(0, limit));
});

Deno.test("a completion finds the same as one that may cost any amount, or says that it costs more", async () => {
  const common = Array.from(
    { length: 1_200 },
    (_, i) => JSON.stringify({ key: `n${i}`, title: "common title", text: "x" }),
  );
  const same = lines(...Array.from({ length: 300 }, (_, i) => `same${i}`));
  await using folder = await Folder.make({
    "a.jsonl": `${common.join("\n")}\n${lines("samezz")}`,
    "b.jsonl": same,
    "c.jsonl": same,
  });
  const index = folder.at("i.db");
  await (await openSearch({ data: [folder.path], index })).close();
  using db = openIndexReader({ path: index });
  const searcher = new Searcher(db);
  const cases: [prefix: string, limit: number, enough: number, tooLittle: number][] = [
    // No more keys are looked at than are shown.
    ["n", 10, 10, 9],
    // Two files have these keys, and serve them with their names; `samezz` comes after them.
    ["same", 1, 700, 500],
    // 500 of the first 800 entries have it, but of the first 320 only 320.
    ["common ", 10, 50, 20],
  ];
  for (const [prefix, limit, enough, tooLittle] of cases) {
    const found = searcher.suggest(prefix, limit);
    assert(found.length > 0, prefix);
    assertEquals(searcher.suggest(prefix, limit, new Effort(enough)), found, prefix);
    assertThrows(
      () => searcher.suggest(prefix, limit, new Effort(tooLittle)),
      CostlySearchError,
      undefined,
      prefix,
    );
  }
});

Deno.test("no query of a search goes through all records", async () => {
  await using folder = await Folder.make({ "a.jsonl": lines("a") });
  const index = folder.at("i.db");
  await (await openSearch({ data: [folder.at("a.jsonl")], index })).close();
  using db = openIndexReader({ path: index });
  const queries: string[] = [];
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (query) {
    queries.push(query);
    return prepare.call(this, query);
  };
  try {
    const searcher = new Searcher(db);
    searcher.search({ query: "a b*", limit: 1, offset: 0, exactly: false });
    searcher.suggest("a", 1);
  } finally {
    DatabaseSync.prototype.prepare = prepare;
  }
  assert(queries.length > 5);
  for (const query of queries) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${query}`).all().map(({ detail }) => detail);
    assert(!plan.includes("SCAN record"), `${query}\n${plan.join("\n")}`);
  }
});
