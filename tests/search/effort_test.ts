import { assert, assertEquals } from "@std/assert";
import { openIndexReader } from "../../lib/search/index/open_index.ts";
import { CostlySearchError, Effort } from "../../lib/search/query/effort.ts";
import { Searcher } from "../../lib/search/query/searcher.ts";
import { openSearch } from "../../lib/search/mod.ts";
import { Folder } from "./support.ts";

const ENTRIES = 400;

/** `all` is in every entry, `half` and `other` in every second one, `seven0` to `seven6` in a seventh. */
const textOf = (i: number) => `all ${i % 2 ? "half" : "other"} seven${i % 7} only${i} all`;

/** Whether a search looks at more than 100 entries. */
const QUERIES: Record<string, boolean> = {
  only7: false,
  seven3: false,
  "only7 all": false,
  "seven3 half": false,
  "seven3 -all": false,
  nothing: false,
  "onlly7": false,
  '"seven3 only3"': false,
  k3: false,
  "only7 nothing": false,
  "seven3 only3": false,
  all: true,
  "all half": true,
  '"all half"': true,
  "half other": true,
  "half nothing": true,
  "only7 other half": true,
  "half seven3 -all -half -other": true,
  "onl*": true,
  "all OR only7": true,
  "a*": true,
  "all all all": true,
};

/** Whether completing it looks at more than 480 entries of its words. */
const PREFIXES: Record<string, boolean> = {
  k3: false,
  "only7 ": false,
  "only7 title": false,
  "half ": false,
  "all half": true,
  "all half o": true,
  "title all half ": true,
};

Deno.test("a search that may not cost much finds the same, or says that it costs more", async () => {
  const lines = Array.from(
    { length: ENTRIES },
    (_, i) => JSON.stringify({ key: `k${i}`, title: `Title ${i}`, text: textOf(i) }),
  );
  await using folder = await Folder.make({ "a.jsonl": lines.join("\n") });
  const index = folder.at("i.db");
  await (await openSearch({ data: [folder.at("a.jsonl")], index })).close();
  using db = openIndexReader({ path: index });
  const searcher = new Searcher(db);
  const check = (
    name: string,
    ask: (effort?: Effort) => unknown,
    isCostly: boolean,
    entries: number,
  ) => {
    const found = ask();
    for (const most of [0, 10, entries, 1_000, 10_000]) {
      let result: unknown;
      try {
        result = ask(new Effort(most));
      } catch (error) {
        assert(error instanceof CostlySearchError, String(error));
        assert(most < 10_000, name);
        if (most === entries) assert(isCostly, `${name} is cheap`);
        continue;
      }
      assertEquals(result, found, name);
      if (most === entries) assert(!isCostly, `${name} is costly`);
    }
    // One that was given up leaves nothing behind.
    assertEquals(ask(), found, name);
  };
  for (const [query, isCostly] of Object.entries(QUERIES)) {
    const request = { query, limit: 5, offset: 0, exactly: false };
    check(query, (effort) => searcher.search(request, effort), isCostly, 100);
  }
  for (const [prefix, isCostly] of Object.entries(PREFIXES)) {
    check(prefix, (effort) => searcher.suggest(prefix, 5, effort), isCostly, 30);
  }
});
