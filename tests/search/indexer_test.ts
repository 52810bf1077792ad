import { assert, assertEquals, assertThrows } from "@std/assert";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { openIndexWriter } from "../../lib/search/index/open_index.ts";
import { openSearch } from "../../lib/search/mod.ts";
import { Indexer } from "../../lib/search/index/indexer.ts";
import { PassReport } from "../../lib/search/index/pass_report.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";
import { type ChangedPlace, SourceTable } from "../../lib/search/index/source_table.ts";
import { Folder } from "./support.ts";

/** An index without workers, so that many can be made in short time. */
function makeIndex(path: string) {
  const db = openIndexWriter(path, { temporary: true });
  const store = new RecordStore(db);
  const skipped: string[] = [];
  let commits = 0;
  return {
    db,
    store,
    /** How many transactions changed an entry. */
    get commits() {
      return commits;
    },
    /** What was skipped in all passes, and why. */
    skipped,
    pass: (data: readonly string[], places?: readonly ChangedPlace[]) => {
      const report = new PassReport(({ name, event }) => {
        if (name === "skippedFile") skipped.push(`${event.path}: ${event.reason}`);
      });
      const settings = { textFields: [], entries: false, maxEntryBytes: 10_000 };
      const walking = {
        follow: false,
        exclude: [],
        ownFiles: new Set<string>(),
        watch: false,
        prune: true,
      };
      const options = { ...settings, ...walking, data };
      // An indexer keeps temporary tables: one for each order of the data would meet the other's.
      db.exec("DROP TABLE IF EXISTS seen; DROP TABLE IF EXISTS found; DROP TABLE IF EXISTS lost");
      const indexer = new Indexer(db, store, options, report, () => void commits++);
      return indexer.pass(new AbortController().signal, places);
    },
    [Symbol.dispose]: () => db.close(),
  };
}

/** What an index serves, and what its full-text part holds. */
function contentOf(db: DatabaseSync) {
  const shown = db.prepare("SELECT id, key, title, text FROM record WHERE shown = 1 ORDER BY key");
  const match = db.prepare("SELECT rowid AS id FROM words WHERE words MATCH ?");
  return shown.all().map(({ id, key, title, text }) => {
    const ids = match.all(`text : "${text}"`).map((row) => row["id"]);
    return { key, title, text, isIndexed: ids.includes(id!) };
  }).concat(
    // Each word of the full-text part belongs to a shown record.
    db.prepare("SELECT count(*) AS n FROM words").all().map(({ n }) => {
      const records = db.prepare("SELECT count(*) AS n FROM record WHERE shown = 1").get()!["n"];
      return { key: "", title: "", text: "", isIndexed: n === records };
    }),
  );
}

Deno.test("change() does all or nothing", () => {
  using index = makeIndex(":memory:");
  const put = (key: string) => index.store.put({ key, title: "t", text: "x" });
  index.store.change(() => put("kept"));
  assertThrows(
    () =>
      index.store.change(() => {
        put("lost");
        throw new Error("in the middle");
      }),
    Error,
    "in the middle",
  );
  index.store.change(() => put("after"));
  assertEquals(contentOf(index.db).map((entry) => entry.key), ["after", "kept", ""]);
});

Deno.test("a folder that cannot be read keeps the records of its files", () => {
  using index = makeIndex(":memory:");
  const sources = new SourceTable(index.db, index.store);
  const file = (name: string) => {
    const path = `/r/${name}`;
    return { kind: "file" as const, path, real: path, name, bytes: 1, modifiedMs: 1 };
  };
  const names = ["a.txt", "sub/b.txt", "sub2/c.txt"];
  sources.startFinding("");
  for (const name of names) sources.found("/r", file(name));
  sources.finishFinding();
  sources.setRoots(["/r"]);
  for (let next = sources.nextPending(); next; next = sources.nextPending()) {
    const entry = { local: next.name, place: "", title: "t", text: "x" };
    index.store.store(sources.beginFile(next), entry, () => false);
    sources.taken(next, "hash");
  }
  sources.startFinding("");
  sources.found("/r", { kind: "skipped", path: "/r/sub", reason: "?", isUnreadable: true });
  sources.finishFinding();
  assertEquals(sources.removeLost(100), 2);
  assertEquals(sources.removeLost(100), 0);
  assertEquals(contentOf(index.db).map((entry) => entry.key), ["sub/b.txt", ""]);
});

/** Has a folder refuse to be read, also by a user who may read all. */
function refuseToRead(folder: string): Disposable {
  const { readDir } = Deno;
  Deno.readDir = (path) => {
    if (path === folder) throw new Deno.errors.PermissionDenied("Permission denied (os error 13)");
    return readDir(path);
  };
  return { [Symbol.dispose]: () => void (Deno.readDir = readDir) };
}

Deno.test("a folder in the data that refuses to be read keeps its entries, is told, and is read again", async () => {
  const files = {
    "a.txt": "first",
    "sub/b.txt": "second",
    "sub/deep/c.csv": "id,text\n1,third\n",
    "sub.txt": "fourth",
    "sub2/d.txt": "fifth",
  };
  await using folder = await Folder.make(files);
  using index = makeIndex(":memory:");
  const keys = () => contentOf(index.db).map(({ key, text }) => `${key} ${text}`.trim());
  await index.pass([folder.path]);
  const all = keys();
  assertEquals(all.length, 6);
  for (const places of [undefined, ["sub"], ["sub", "a.txt"]]) {
    const changed = places?.map((name) => ({ root: folder.path, path: folder.at(name) }));
    {
      using _refusal = refuseToRead(folder.at("sub"));
      await index.pass([folder.path], changed);
      assertEquals([keys(), index.skipped.splice(0)], [all, [
        `${folder.at("sub")}: unreadable: Permission denied`,
      ]]);
    }
    await folder.write("sub/b.txt", `second, with ${places?.length}`);
    await index.pass([folder.path], changed);
    assertEquals(
      keys().find((each) => each.startsWith("sub/b")),
      `sub/b.txt second, with ${places?.length}`,
    );
    await folder.write("sub/b.txt", "second");
    await index.pass([folder.path], changed);
  }
  // What is gone elsewhere is gone.
  using _refusal = refuseToRead(folder.at("sub"));
  await Deno.remove(folder.at("sub2/d.txt"));
  await Deno.remove(folder.at("sub.txt"));
  await index.pass([folder.path]);
  assertEquals(keys(), all.filter((each) => !/^(sub2|sub\.txt)/.test(each)));
});

Deno.test("names of files are keys in NFC, however the file system writes them", async () => {
  const nfd = "cafe\u0301";
  await using folder = await Folder.make({
    [`${nfd}/re\u0301sume\u0301.txt`]: "one",
    [`${nfd}/re\u0301cords.csv`]: "text\ntwo\n",
    "a.csv": "id,text\n1,three\n",
    [`a/${nfd}.csv`]: "id,text\n1,four\n",
    "\u00e9.txt": "five",
    "e\u0301.txt": "six",
  });
  using index = makeIndex(":memory:");
  await index.pass([folder.path]);
  const keys = contentOf(index.db).map(({ key }) => key).filter((key) => key !== "");
  const twice = ["\u00e9.txt", "e\u0301.txt"].map((name) => folder.at(name));
  assertEquals(
    keys.sort(),
    [
      "a.csv#1",
      "a/caf\u00e9.csv#1",
      "caf\u00e9/r\u00e9cords.csv:2",
      "caf\u00e9/r\u00e9sum\u00e9.txt",
      ...twice,
    ].sort(),
  );
  await using engine = await openSearch({ data: [folder.path], exclude: ["caf\u00e9.csv"] });
  const key = `${nfd}/re\u0301sume\u0301.txt`;
  assertEquals([engine.lookup(key)?.key, engine.lookup(key.normalize("NFC"))?.text], [
    key.normalize("NFC"),
    "one",
  ]);
  const { exact, hits } = await engine.search(key);
  assertEquals([exact, hits[0]?.key], [true, key.normalize("NFC")]);
  assertEquals(engine.lookup("a/caf\u00e9.csv#1"), undefined);
});

Deno.test("many small files that changed share a transaction, with the records that they lost", async () => {
  await using folder = await Folder.make({});
  using index = makeIndex(folder.at("index.db"));
  const lines = (name: string, keys: readonly string[], text: string) =>
    folder.write(
      `data/${name}.jsonl`,
      keys.map((key) => JSON.stringify({ key: `${name}-${key}`, title: "", text })).join("\n"),
    );
  const files = Array.from({ length: 100 }, (_, i) => `f${i}`);
  const manyKeys = Array.from({ length: 1200 }, (_, i) => `${i}`);
  for (const name of files) await lines(name, ["kept", "gone"], "one");
  await lines("large", manyKeys, "one");
  await index.pass([folder.at("data")]);
  const before = index.commits;
  for (const name of files) await lines(name, ["kept", "new"], "two");
  await lines("large", ["7"], "two");
  const { added, updated, removed } = await index.pass([folder.at("data")]);
  assertEquals([added, updated, removed], [100, 101, 100 + 1199]);
  const rows = index.db.prepare("SELECT key FROM record WHERE shown = 1 ORDER BY key").all();
  const keys = files.flatMap((name) => [`${name}-kept`, `${name}-new`]).concat("large-7");
  assertEquals(rows.map((row) => row["key"]), keys.sort());
  assert(index.commits - before < 10, `${index.commits - before} transactions`);
  assert(contentOf(index.db).every(({ isIndexed }) => isIndexed));
});

Deno.test("an index updated step by step equals one that was built at once", async () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const record = fc.record({ key, text: fc.constantFrom("one", "two", "three") });
  const path = fc.constantFrom("x/1.jsonl", "x/2.jsonl", "y/3.jsonl");
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("write" as const),
      path,
      records: fc.array(record, { maxLength: 5 }),
    }),
    fc.record({ kind: fc.constant("remove" as const), path }),
    fc.record({ kind: fc.constant("put" as const), record }),
    fc.record({ kind: fc.constant("delete" as const), key }),
    fc.record({ kind: fc.constant("order" as const), order: fc.shuffledSubarray(["x", "y"]) }),
  );
  const property = fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
    await using folder = await Folder.make({ "x/.keep": "", "y/.keep": "" });
    using index = makeIndex(folder.at("step.db"));
    let order = ["x", "y"];
    const data = () => order.map((name) => folder.at(name));
    for (const step of steps) {
      if (step.kind === "write") {
        const lines = step.records.map((each) => JSON.stringify({ ...each, title: step.path }));
        await folder.write(step.path, lines.join("\n"));
      } else if (step.kind === "remove") {
        await Deno.remove(folder.at(step.path)).catch(() => {});
      } else if (step.kind === "order") order = step.order;
      else if (step.kind === "put") {
        const entry = { ...step.record, title: "client" };
        index.store.change(() => index.store.put(entry));
        continue;
      } else {
        index.store.change(() => index.store.deleteKey(step.key));
        continue;
      }
      await index.pass(data());
    }
    await index.pass(data());
    using fresh = makeIndex(folder.at("fresh.db"));
    await fresh.pass(data());
    fresh.store.change(() => {
      const own = index.db.prepare("SELECT key, removed, text FROM record WHERE source = 0");
      for (const row of own.all()) {
        const key = String(row["key"]);
        if (row["removed"] === 1) fresh.store.keepDeleted(key);
        else fresh.store.put({ key, title: "client", text: String(row["text"]) });
      }
    });
    assertEquals(contentOf(index.db), contentOf(fresh.db));
  });
  await fc.assert(property, { numRuns: 10 });
});
