import { assert, assertEquals } from "@std/assert";
import { openSearch, type SearchEngine } from "../../lib/search/mod.ts";
import { Folder, Recorder } from "./support.ts";

/** Waits until a key has a text, or none. */
function untilText(engine: SearchEngine, observer: Recorder, key: string, text?: string) {
  return observer.until(() => engine.lookup(key)?.text === text);
}

/** To see that something does not happen, there is no other way than to wait. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("changes in a watched folder are taken in", async () => {
  await using folder = await Folder.make({ "data/a.txt": "one", "data/sub/b.txt": "two" });
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.at("data")], watch: true, observer });
  assertEquals(engine.lookup("a.txt")?.text, "one");
  await folder.write("data/a.txt", "changed");
  await untilText(engine, observer, "a.txt", "changed");
  await folder.write("data/new/deep/c.txt", "three");
  await untilText(engine, observer, "new/deep/c.txt", "three");
  await Deno.remove(folder.at("data/sub"), { recursive: true });
  await untilText(engine, observer, "sub/b.txt");
  await Deno.rename(folder.at("data/new"), folder.at("data/old"));
  await untilText(engine, observer, "old/deep/c.txt", "three");
  await untilText(engine, observer, "new/deep/c.txt");
  assertEquals((await engine.search("three")).hits.map((hit) => hit.key), ["old/deep/c.txt"]);
});

Deno.test("a watched file may be replaced by another one, and be gone for a while", async () => {
  await using folder = await Folder.make({ "f.jsonl": '{"key":"k","text":"one"}' });
  const path = folder.at("f.jsonl");
  const observer = new Recorder();
  await using engine = await openSearch({ data: [path], watch: true, observer });
  await folder.write("f.jsonl.new", '{"key":"k","text":"two"}');
  await Deno.rename(folder.at("f.jsonl.new"), path);
  await untilText(engine, observer, "k", "two");
  await Deno.remove(path);
  await untilText(engine, observer, "k");
  await observer.until(() => observer.paths.includes("f.jsonl gone"));
  await folder.write("f.jsonl", '{"key":"k","text":"three"}');
  await untilText(engine, observer, "k", "three");
});

Deno.test("an index inside a watched folder, named by a link, does not set off passes by itself", async () => {
  await using folder = await Folder.make({ "a.txt": "one" });
  await using elsewhere = await Folder.make();
  await Deno.symlink(folder.path, elsewhere.at("link"));
  const observer = new Recorder();
  await using engine = await openSearch({
    data: [folder.path],
    index: elsewhere.at("link/i.db"),
    watch: true,
    writable: true,
    observer,
  });
  // Each put is further from the last one than changes that would be told together.
  for (let i = 0; i < 4; i++) {
    await engine.put({ key: `p${i}`, title: "", text: "put" });
    await pause(130);
  }
  assertEquals(observer.summaries.length, 1);
  await folder.write("a.txt", "two");
  await untilText(engine, observer, "a.txt", "two");
  // One pass more where the system told the change in two parts; a pass that set off the next one
  // would have done so three times.
  const passes = observer.summaries.length;
  await pause(400);
  assert(observer.summaries.length <= passes + 1);
  assertEquals(observer.skippedFiles, []);
  assertEquals((await engine.stats()).entries, 5);
});

Deno.test("writes of clients go on during passes", async () => {
  await using folder = await Folder.make({ "a.txt": "one" });
  const observer = new Recorder();
  await using engine = await openSearch({
    data: [folder.path],
    watch: true,
    writable: true,
    observer,
  });
  for (let i = 0; i < 30; i++) {
    await folder.write(`f${i}.txt`, `file ${i}`);
    await engine.put({ key: `p${i}`, title: "", text: `put ${i}` });
  }
  await untilText(engine, observer, "f29.txt", "file 29");
  await observer.until(() => engine.lookup("f0.txt") !== undefined);
  assertEquals((await engine.search("put", { limit: 0 })).total, 30);
});
