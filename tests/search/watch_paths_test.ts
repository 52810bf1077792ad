/** What becomes of data paths that are gone, replaced, or not there yet. */
import { assertEquals } from "@std/assert";
import { DataWatcher } from "../../lib/search/index/watch_data.ts";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";
import { assertCode, Folder, Recorder } from "./support.ts";

const ignore = Deno.build.os === "windows";

async function untilText(engine: SearchEngine, observer: Recorder, key: string, text?: string) {
  await observer.until(() => engine.lookup(key)?.text === text);
}

Deno.test({
  name: "a watched path is followed, not the folder that was there first",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({
      "site/a.txt": "one",
      "next/a.txt": "two",
      "releases/1/a.txt": "three",
      "releases/2/a.txt": "four",
    });
    const [site, observer] = [folder.at("site"), new Recorder()];
    await using engine = await openSearch({ data: [site], watch: true, observer });
    const becomes = (text?: string) => untilText(engine, observer, "a.txt", text);
    await becomes("one");
    // Built anew: deleted and made again, once at once and once after a while.
    await Deno.remove(site, { recursive: true });
    await folder.write("site/a.txt", "again");
    await becomes("again");
    await Deno.remove(site, { recursive: true });
    await becomes(undefined);
    await folder.write("site/a.txt", "back");
    await becomes("back");
    await folder.write("site/a.txt", "changed");
    await becomes("changed");
    // Swapped by mv.
    await Deno.rename(site, folder.at("old"));
    await Deno.rename(folder.at("next"), site);
    await becomes("two");
    // A link, that is then turned to another folder.
    await Deno.remove(site, { recursive: true });
    await Deno.symlink(folder.at("releases/1"), site);
    await becomes("three");
    await Deno.symlink(folder.at("releases/2"), folder.at("link"));
    await Deno.rename(folder.at("link"), site);
    await becomes("four");
    await folder.write("releases/2/a.txt", "five");
    await becomes("five");
    assertEquals(observer.failures, []);
  },
});

Deno.test({
  name: "a path that is missing stops no other one, and is told",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "a/a.txt": "one" });
    const observer = new Recorder();
    const data = [folder.at("missing"), folder.at("a")];
    await using engine = await openSearch({ data, watch: true, observer });
    assertEquals(observer.paths, ["missing missing"]);
    await folder.write("a/a.txt", "two");
    await untilText(engine, observer, "a.txt", "two");
    await folder.write("missing/b.txt", "here");
    await untilText(engine, observer, "b.txt", "here");
    await Deno.remove(folder.at("a"), { recursive: true });
    await untilText(engine, observer, "a.txt");
    assertEquals(observer.paths, ["missing missing", "missing back", "a gone"]);
    await folder.write("missing/b.txt", "still watched");
    await untilText(engine, observer, "b.txt", "still watched");
  },
});

Deno.test("a data folder that is empty at the start keeps its entries, until it has some or --prune", async () => {
  await using folder = await Folder.make({ "a/a.txt": "one", "b/b.txt": "two" });
  const [index, data] = [folder.at("i.db"), [folder.at("a"), folder.at("b")]];
  const keys = async (options = {}) => {
    const observer = new Recorder();
    await using engine = await openSearch({ index, data, observer, ...options });
    return [engine.lookup("a.txt")?.text, engine.lookup("b.txt")?.text, ...observer.paths];
  };
  assertEquals(await keys(), ["one", "two"]);
  await Deno.remove(folder.at("a/a.txt"));
  assertEquals(await keys(), ["one", "two", "a empty"]);
  assertEquals(await keys(), ["one", "two", "a empty"]);
  await folder.write("a/c.txt", "new");
  assertEquals(await keys(), [undefined, "two"]);
  await Deno.remove(folder.at("b/b.txt"));
  assertEquals(await keys({ prune: true }), [undefined, undefined]);
  await Deno.remove(folder.at("b"));
  await assertCode(openSearch({ index, data }), "data-unreadable");
});

Deno.test({
  name: "while it is watched, a folder that was empty at the start is taken in when it is filled",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "a/a.txt": "one" });
    const options = { index: folder.at("i.db"), data: [folder.at("a")], watch: true };
    await (await openSearch(options)).close();
    await Deno.remove(folder.at("a/a.txt"));
    const observer = new Recorder();
    await using engine = await openSearch({ ...options, observer });
    assertEquals(engine.lookup("a.txt")?.text, "one");
    await folder.write("a/b.txt", "two");
    await untilText(engine, observer, "b.txt", "two");
    await untilText(engine, observer, "a.txt");
    assertEquals(observer.paths, ["a empty", "a back"]);
  },
});

Deno.test({
  name: "a change is read by itself, also one of the same size in the same moment",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`d/${i % 10}/${i}.txt`, `text ${i}`]),
    );
    await using folder = await Folder.make(files);
    const observer = new Recorder();
    await using engine = await openSearch({ data: [folder.at("d")], watch: true, observer });
    const { mtime } = await Deno.stat(folder.at("d/3/13.txt"));
    await folder.write("d/3/13.txt", "txet 13");
    await Deno.utime(folder.at("d/3/13.txt"), mtime!, mtime!);
    await untilText(engine, observer, "3/13.txt", "txet 13");
    await observer.until(() => observer.summaries.length > 1);
    assertEquals(observer.lastCounts, { updated: 1, filesRead: 1, unchanged: 299 });
    await Deno.remove(folder.at("d/4"), { recursive: true });
    await untilText(engine, observer, "4/14.txt");
    await observer.until(() => observer.summaries.at(-1)!.removed > 0);
    assertEquals((await engine.stats()).entries, 270);
    await folder.write("d/new/deep/file.txt", "deep");
    await untilText(engine, observer, "new/deep/file.txt", "deep");
    await folder.write("d/new/deep/file.txt", "deeper");
    await untilText(engine, observer, "new/deep/file.txt", "deeper");
  },
});

Deno.test({
  name: "a file of the data is looked at again after more changes around it than are told",
  // Elsewhere the system itself puts changes together.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using folder = await Folder.make({ "one.txt": "one" });
    const path = folder.at("one.txt");
    const options = { data: [path], follow: false, exclude: [], ownFiles: new Set<string>() };
    const changed = Promise.withResolvers<unknown>();
    using watcher = new DataWatcher(options, {
      changed: (places) => changed.resolve(places),
      watching() {},
    });
    await watcher.update();
    // While this thread is busy, Deno keeps some 1,000 events, and then only that there were more.
    for (let i = 0; i < 1_500; i++) Deno.writeTextFileSync(folder.at(`other-${i}`), "");
    Deno.writeTextFileSync(path, "two");
    assertEquals(await deadline(changed.promise), undefined);
  },
});
