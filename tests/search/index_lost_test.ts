/** An index whose files are deleted or replaced while it is served. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { openWith } from "../../lib/search/open_search.ts";
import { identityOf } from "../../lib/sqlite/mod.ts";
import { assertCode, Folder, Recorder } from "./support.ts";

// Windows does not let files be deleted or replaced that are open.
const ignore = Deno.build.os === "windows";

/** Ways to lose an index; they leave `index/` as a place where a new one can be made. */
const LOSSES: Record<string, (folder: Folder) => Promise<void>> = {
  "deleted": (folder) => Deno.remove(folder.at("index/i.db")),
  "deleted with all its files": async (folder) => {
    await Deno.remove(folder.at("index"), { recursive: true });
    await Deno.mkdir(folder.at("index"));
  },
  "moved": (folder) => Deno.rename(folder.at("index/i.db"), folder.at("index/j.db")),
  "replaced by a copy": async (folder) => {
    await Deno.copyFile(folder.at("index/i.db"), folder.at("index/copy.db"));
    await Deno.rename(folder.at("index/copy.db"), folder.at("index/i.db"));
  },
  "replaced by another server's": async (folder) => {
    await Deno.remove(folder.at("index"), { recursive: true });
    await Deno.mkdir(folder.at("index"));
    await (await openSearch({ index: folder.at("index/i.db") })).close();
  },
  "replaced with its folder": async (folder) => {
    await Deno.rename(folder.at("index"), folder.at("moved"));
    await Deno.mkdir(folder.at("index"));
  },
  "bereft of its write-ahead log": (folder) => Deno.remove(folder.at("index/i.db-wal")),
  "bereft of its shared memory": (folder) => Deno.remove(folder.at("index/i.db-shm")),
};

for (const [name, lose] of Object.entries(LOSSES)) {
  Deno.test({
    name: `no change is answered as stored by an index that was ${name}`,
    ignore,
    fn: async () => {
      await using folder = await Folder.make({ "index/.keep": "", "data/a.txt": "from the data" });
      const observer = new Recorder();
      const options = { index: folder.at("index/i.db"), data: [folder.at("data")], writable: true };
      {
        await using engine = await openSearch({ ...options, watch: true, observer });
        await engine.put({ key: "before", title: "", text: "kept" });
        await lose(folder);
        const put = engine.put({ key: "after", title: "", text: "lost" });
        const error = await assertCode(put, "index-failed");
        assertEquals(error.path, options.index);
        assertStringIncludes(error.message, "was deleted or replaced while it was open");
        await assertCode(engine.delete("before"), "index-failed");
        // What was there is served as long as this engine lives.
        assertEquals(engine.lookup("before")?.text, "kept");
        assertEquals((await engine.search("data")).hits[0]?.key, "a.txt");
        // Changes of the data are not taken into files that are gone either, and that is told.
        await folder.write("data/b.txt", "new");
        await observer.until(() => observer.failures.length > 0);
        assertEquals(observer.failures[0]?.code, "index-failed");
      }
      await using engine = await openSearch(options);
      assertEquals(engine.lookup("after"), undefined);
      assertEquals(engine.lookup("b.txt")?.text, "new");
      await engine.put({ key: "after", title: "", text: "stored" });
      assertEquals(engine.lookup("after")?.text, "stored");
    },
  });
}

for (const name of ["deleted", "replaced by another server's"]) {
  Deno.test({
    name: `workers that are started again do not open an index that was ${name}`,
    ignore,
    fn: async () => {
      await using folder = await Folder.make({ "index/.keep": "" });
      const index = folder.at("index/i.db");
      const workers = {
        indexWorker: new URL("./mortal_index_worker.ts", import.meta.url),
        searchWorker: new URL("./mortal_search_worker.ts", import.meta.url),
      };
      const options = { index, workers: 1, writable: true };
      await using engine = await openWith(options, workers);
      await engine.put({ key: "before", title: "", text: "kept" });
      await LOSSES[name]!(folder);
      const before = identityOf(index);
      await assertCode(engine.put({ key: "die", title: "", text: "" }), "worker-died");
      await assertCode(engine.put({ key: "after", title: "", text: "lost" }), "index-failed");
      await assertCode(engine.search("die"), "worker-died");
      await assertCode(engine.search("kept"), "index-failed");
      // Nothing was made in the place of what is gone.
      assertEquals(identityOf(index), before);
    },
  });
}
