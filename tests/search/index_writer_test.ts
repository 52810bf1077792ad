import { assert } from "@std/assert";
import { IndexWriter } from "../../lib/search/worker/index_writer.ts";

Deno.test("a put waits for the group before, which is small where writes take long", async () => {
  /** The keys of each group. */
  const groups: string[][] = [];
  const writer = new IndexWriter(new URL("slow_index_worker.ts", import.meta.url), {
    event: () => {},
    changed: (keys) => {
      groups.push([...keys!]);
      if (groups.length === 6) puts.push(put("neighbour", neighbour));
    },
    passFailed: (error) => Promise.reject(error),
    replaced: (reason) => assert(false, reason),
  });
  const [flooder, neighbour] = [{}, {}];
  const put = (key: string, peer: WeakKey) =>
    writer.write({ kind: "put", entry: { key, title: "", text: "short" } }, { peer });
  const options = { path: "none", temporary: true, data: [], maxEntryBytes: 1000 };
  const unused = { watch: false, follow: false, exclude: [], prune: false, textFields: [] };
  await writer.open({ ...options, ...unused, entries: false }, undefined);
  const puts = Array.from({ length: 1500 }, (_, i) => put(`k${i}`, flooder));
  while (groups.length < 7) await Promise.race(puts.splice(0, 1));
  const sizes = groups.map(({ length }) => length);
  assert(sizes[1]! > 200, "a first group is large");
  for (const size of sizes.slice(4)) assert(size < 60, `groups of ${sizes}`);
  assert(groups[6]!.includes("neighbour"), "a put is in the next group");
  await Promise.all(puts);
  await writer.close();
});
