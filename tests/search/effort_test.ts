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
  "only7 other half": false,
  all: true,
  "all half": true,
  '"all half"': true,
  "half other": true,
  "half nothing": true,
  "all OR only7": true,
  "a*": true,
  "all all all": true,
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
  for (const [query, isCostly] of Object.entries(QUERIES)) {
    const request = { query, limit: 5, offset: 0, exactly: false };
    const found = searcher.search(request);
    for (const entries of [0, 10, 100, 1_000, 10_000]) {
      let result: unknown;
      try {
        result = searcher.search(request, new Effort(entries));
      } catch (error) {
        assert(error instanceof CostlySearchError, String(error));
        assert(entries < 10_000, query);
        if (entries === 100) assert(isCostly, `${query} is cheap`);
        continue;
      }
      assertEquals(result, found, query);
      if (entries === 100) assert(!isCostly, `${query} is costly`);
    }
    // One that was given up leaves nothing behind.
    assertEquals(searcher.search(request), found, query);
  }
});
