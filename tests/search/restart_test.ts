import { assert, assertEquals } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { assertCode, Folder, Recorder, records } from "./support.ts";

/** Sets a file's time into the past, where time stamps are trusted. */
async function age(path: string, seconds = 3600): Promise<void> {
  const time = Date.now() / 1000 - seconds;
  await Deno.utime(path, time, time);
}

Deno.test("a second start reads only files that changed", async () => {
  await using folder = await Folder.make({
    "data/a.jsonl": records(50),
    "data/b.jsonl": records(50, 50),
    "data/c.txt": "some text",
  });
  for (const name of ["a.jsonl", "b.jsonl", "c.txt"]) await age(folder.at(`data/${name}`));
  const open = async () => {
    const observer = new Recorder();
    const data = [folder.at("data")];
    const engine = await openSearch({ data, index: folder.at("i.db"), observer });
    return { engine, observer, [Symbol.asyncDispose]: () => engine.close() };
  };
  {
    await using first = await open();
    assertEquals(first.observer.lastCounts, { added: 101, filesRead: 3 });
    assertEquals(first.observer.progressed.at(-1), 1);
  }
  {
    await using second = await open();
    assertEquals(second.observer.lastCounts, { unchanged: 101 });
    assertEquals(second.observer.progressed, []);
    assertEquals((await second.engine.search("word70")).hits[0]?.key, "k70");
  }
  // One record changed, one gone, one new; the file in between is untouched.
  const lines = records(50, 50).trim().split("\n");
  lines[0] = JSON.stringify({ key: "k50", title: "Title 50", text: "changed" });
  lines[1] = JSON.stringify({ key: "new", text: "novel" });
  await folder.write("data/b.jsonl", lines.join("\n"));
  await Deno.remove(folder.at("data/c.txt"));
  {
    await using third = await open();
    const counts = { added: 1, updated: 1, removed: 2, unchanged: 98, filesRead: 1 };
    assertEquals(third.observer.lastCounts, counts);
    const { engine } = third;
    assertEquals(engine.lookup("k50")?.text, "changed");
    assertEquals([engine.lookup("k51"), engine.lookup("c.txt")], [undefined, undefined]);
    assertEquals((await engine.search("word50")).total, 0);
    assertEquals((await engine.search("novel")).hits[0]?.key, "new");
    assertEquals((await engine.stats()).entries, 100);
  }
});

Deno.test("a file whose time changed and whose content did not is not read again", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(5) });
  const path = folder.at("a.jsonl");
  const observer = new Recorder();
  for (const seconds of [9000, 8000]) {
    await age(path, seconds);
    await (await openSearch({ data: [path], index: folder.at("i.db"), observer })).close();
  }
  assertEquals(observer.lastCounts, { unchanged: 5 });
});

Deno.test("a file changed within the resolution of its time is still noticed", async () => {
  await using folder = await Folder.make({ "a.txt": "before" });
  const path = folder.at("a.txt");
  const { mtime } = await Deno.stat(path);
  await (await openSearch({ data: [path], index: folder.at("i.db") })).close();
  await folder.write("a.txt", "after!");
  await Deno.utime(path, mtime!, mtime!);
  await using engine = await openSearch({ data: [path], index: folder.at("i.db") });
  assertEquals(engine.lookup("a.txt")?.text, "after!");
});

Deno.test("other fields make the files be read again", async () => {
  await using folder = await Folder.make({ "a.jsonl": '{"key":"k","text":"t","other":"o"}' });
  await age(folder.at("a.jsonl"));
  const options = { data: [folder.at("a.jsonl")], index: folder.at("i.db") };
  await (await openSearch(options)).close();
  await using engine = await openSearch({ ...options, textField: "other" });
  assertEquals(engine.lookup("k")?.text, "o");
});

Deno.test("data that are not named any more go, and without data the index is served", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(3), "b.jsonl": records(3, 3) });
  const index = folder.at("i.db");
  const [a, b] = [folder.at("a.jsonl"), folder.at("b.jsonl")];
  await (await openSearch({ index, data: [a, b] })).close();
  {
    await using engine = await openSearch({ index, data: [b] });
    assertEquals([engine.lookup("k0"), engine.lookup("k3")?.title], [undefined, "Title 3"]);
  }
  {
    await using engine = await openSearch({ index });
    assertEquals(engine.lookup("k3")?.title, "Title 3");
    assertEquals(engine.lookup("ring"), undefined);
  }
  {
    await using engine = await openSearch({ index, data: [] });
    assertEquals((await engine.stats()).entries, 0);
  }
});

Deno.test("the tutorial's entries give way to data", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(1) });
  const index = folder.at("i.db");
  await (await openSearch({ index })).close();
  await using engine = await openSearch({ index, data: [folder.at("a.jsonl")] });
  assertEquals([engine.lookup("ring"), engine.lookup("k0")?.title], [undefined, "Title 0"]);
});

Deno.test("what clients put and deleted survives restarts and the reading of data", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(4) });
  const options = { index: folder.at("i.db"), data: [folder.at("a.jsonl")], writable: true };
  {
    await using engine = await openSearch(options);
    await engine.put({ key: "k0", title: "Mine", text: "put over data" });
    await engine.put({ key: "own", title: "Own", text: "put alone" });
    await engine.put({ key: "gone", title: "", text: "put and deleted" });
    assertEquals(await engine.delete("k1"), true);
    assertEquals(await engine.delete("k1"), false);
    assertEquals(await engine.delete("gone"), true);
  }
  await folder.write("a.jsonl", records(4).replaceAll("common", "other"));
  {
    await using engine = await openSearch(options);
    assertEquals(engine.lookup("k0")?.title, "Mine");
    assertEquals(engine.lookup("own")?.text, "put alone");
    assertEquals([engine.lookup("k1"), engine.lookup("gone")], [undefined, undefined]);
    assertEquals(engine.lookup("k2")?.text, "other word2 text");
    assertEquals((await engine.search("other")).total, 2);
    // Deleting what was put over data hides the data's entry as well; putting shows one again.
    assertEquals(await engine.delete("k0"), true);
    assertEquals(engine.lookup("k0"), undefined);
    await engine.put({ key: "k1", title: "", text: "back" });
  }
  await using engine = await openSearch({ ...options, data: [] });
  assertEquals(engine.lookup("k1")?.text, "back");
  assertEquals((await engine.stats()).entries, 2);
});

Deno.test("records of different files never replace each other", async () => {
  await using folder = await Folder.make({
    "x/users.csv": "id,text\n1,a1\n2,a2\n",
    "x/orders.csv": "id,text\n1,b1\n",
    "y/users.csv": "id,text\n1,c1\n",
  });
  const [x, y] = [folder.at("x"), folder.at("y")];
  const index = folder.at("i.db");
  const served = async (data: string[]) => {
    await using engine = await openSearch({ index, data });
    const { hits } = await engine.search("a1 OR a2 OR b1 OR c1");
    for (const { key, snippet } of hits) assertEquals(engine.lookup(key)?.text, snippet);
    return hits.map(({ key, snippet }) => `${key} ${snippet}`).sort();
  };
  assertEquals(await served([x, y]), [
    "2 a2",
    "orders.csv#1 b1",
    "x/users.csv#1 a1",
    "y/users.csv#1 c1",
  ]);
  assertEquals(await served([y, x]), await served([x, y]));
  await Deno.remove(folder.at("x/orders.csv"));
  assertEquals(await served([x]), ["1 a1", "2 a2"]);
  assertEquals(await served([y]), ["1 c1"]);
});

Deno.test("of a key that a file has twice the later record has its line", async () => {
  await using folder = await Folder.make({
    "a.jsonl": '{"key":"k","text":"a1"}\n{"key":"k","text":"a2"}\n{"key":"m","text":"a3"}',
  });
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.path], keyField: "key", observer });
  assertEquals(["k", "a.jsonl:2", "m"].map((key) => engine.lookup(key)?.text), ["a1", "a2", "a3"]);
  assertEquals(observer.duplicates, ["k a.jsonl:2"]);
  assertEquals(observer.lastCounts, { added: 3, filesRead: 1, duplicates: 1 });
});

Deno.test("records of one key on one line are all kept", async () => {
  const same = JSON.stringify(Array.from({ length: 4 }, (_, i) => ({ key: "k", text: `t${i}` })));
  await using folder = await Folder.make({ "a.json": same });
  const options = { index: folder.at("i.db"), data: [folder.at("a.json")], keyField: "key" };
  for (let start = 0; start < 2; start++) {
    await using engine = await openSearch(options);
    const keys = ["k", "a.json:1", "a.json:1.2", "a.json:1.3"];
    assertEquals(keys.map((key) => engine.lookup(key)?.text), ["t0", "t1", "t2", "t3"]);
    await folder.write("a.json", ` ${same}`);
  }
});

Deno.test("a file that is in two data paths is taken in once", async () => {
  await using folder = await Folder.make({ "x/a.csv": "id,text\n1,a1\n", "x/b.txt": "text" });
  const data = [folder.at("x"), folder.at("x/a.csv")];
  await using engine = await openSearch({ data });
  assertEquals((await engine.stats()).entries, 2);
  assertEquals(engine.lookup("1")?.text, "a1");
});

Deno.test("what a client deleted stays deleted when another file gets its key too", async () => {
  await using folder = await Folder.make({ "data/users.csv": "id,text\n1,a1\n" });
  const options = { index: folder.at("i.db"), data: [folder.at("data")], writable: true };
  {
    await using engine = await openSearch(options);
    assertEquals(await engine.delete("1"), true);
  }
  await folder.write("data/orders.csv", "id,text\n1,b1\n");
  {
    await using engine = await openSearch(options);
    assertEquals((await engine.stats()).entries, 1);
    assertEquals(engine.lookup("orders.csv#1")?.text, "b1");
    assertEquals(engine.lookup("users.csv#1"), undefined);
  }
  await Deno.remove(folder.at("data/orders.csv"));
  {
    await using engine = await openSearch(options);
    assertEquals((await engine.stats()).entries, 0);
    await engine.put({ key: "1", title: "", text: "back" });
    assertEquals(engine.lookup("1")?.text, "back");
  }
});

Deno.test("a pass that was ended is completed by the next one", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(4000) });
  const options = { index: folder.at("i.db"), data: [folder.at("a.jsonl")] };
  await age(folder.at("a.jsonl"));
  const abort = new AbortController();
  const observer = { progress: () => abort.abort(new Error("enough")) };
  const first = openSearch({ ...options, observer, signal: abort.signal });
  // The first pass may be over before it is ended: both ways the next one has all.
  await first.then((engine) => engine.close(), (error) => assertEquals(error.message, "enough"));
  await using engine = await openSearch(options);
  assertEquals((await engine.stats()).entries, 4000);
});

Deno.test("an aborted signal ends the opening at once", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(1) });
  const reason = new Error("changed my mind");
  const signal = AbortSignal.abort(reason);
  const options = { index: folder.at("i.db"), data: [folder.at("a.jsonl")], signal };
  const error = await openSearch(options).catch((error) => error);
  assert(error === reason);
  // Nothing holds the index.
  await (await openSearch({ index: folder.at("i.db"), data: [] })).close();
  await assertCode(openSearch({ index: folder.at("no/i.db"), data: [] }), "index-failed");
});
