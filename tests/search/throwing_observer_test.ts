import "../support/recycled_threads.ts";
import { assertEquals } from "@std/assert";
import { redirectErrors } from "../../lib/base/report.ts";
import { openSearch } from "../../lib/search/mod.ts";

Deno.test("an engine reports what its observer throws, and goes on", async () => {
  const reported: unknown[] = [];
  using _ = redirectErrors((error, what) => reported.push([what, (error as Error).message]));
  await using engine = await openSearch({
    writable: true,
    workers: 1,
    observer: {
      changed({ generation }) {
        throw new Error(`changed ${generation}`);
      },
    },
  });
  const { generation } = engine;
  await engine.put({ key: "a", title: "", text: "b" });
  assertEquals(engine.lookup("a")?.text, "b");
  assertEquals(reported, [["The observer of a search engine failed", `changed ${generation + 1}`]]);
});
