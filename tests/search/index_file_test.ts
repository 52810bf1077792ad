import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openIndexWriter } from "../../lib/search/index/open_index.ts";
import { Indexer } from "../../lib/search/index/indexer.ts";
import { PassReport } from "../../lib/search/index/pass_report.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";
import { recordsWithKey, servedRecord } from "../../lib/search/index/schema.ts";
import { checkIndex, openSearch } from "../../lib/search/mod.ts";
import { openWith } from "../../lib/search/open_search.ts";
import { assertCode, Folder, Recorder, records } from "./support.ts";

Deno.test("another program's database is refused and stays as it is", async () => {
  await using folder = await Folder.make();
  const index = folder.at("other.db");
  const db = new DatabaseSync(index);
  db.exec("CREATE TABLE precious (x); INSERT INTO precious VALUES (1)");
  db.close();
  const before = await Deno.readFile(index);
  const error = await assertCode(openSearch({ index }), "index-foreign");
  assertEquals(error.path, index);
  assertStringIncludes(error.message, "name another file");
  assertEquals(await Deno.readFile(index), before);
  assertEquals([...Deno.readDirSync(folder.path)].map((entry) => entry.name), ["other.db"]);
});

Deno.test("a file that is no database is refused and stays as it is", async () => {
  await using folder = await Folder.make({
    "notes.txt": "these are my notes, not yours".repeat(99),
  });
  const index = folder.at("notes.txt");
  await assertCode(openSearch({ index }), "index-not-database");
  assertEquals(await Deno.readTextFile(index), "these are my notes, not yours".repeat(99));
  await assertCode(openSearch({ index: folder.path }), "index-failed");
});

Deno.test("an empty file becomes an index", async () => {
  await using folder = await Folder.make({ "i.db": "" });
  await using engine = await openSearch({ index: folder.at("i.db") });
  assertEquals(engine.lookup("ring")?.key, "ring");
});

Deno.test("an index of the first layout is built anew, and keeps what clients put", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(3) });
  const index = folder.at("i.db");
  const db = new DatabaseSync(index);
  db.exec(`
    CREATE TABLE root (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, ordinal INTEGER NOT NULL);
    CREATE TABLE source (id INTEGER PRIMARY KEY, root INTEGER NOT NULL, path TEXT NOT NULL,
      bytes INTEGER, modifiedMs REAL, hash TEXT, settings TEXT, UNIQUE (root, path));
    CREATE TABLE record (id INTEGER PRIMARY KEY, key NOT NULL, source INTEGER NOT NULL,
      shown INTEGER NOT NULL, removed INTEGER NOT NULL, title, text, UNIQUE (key, source));
    CREATE INDEX record_source ON record (source, shown);
    CREATE VIRTUAL TABLE words USING fts5 (key, title, text, content='', contentless_delete=1);
    CREATE VIRTUAL TABLE word USING fts5vocab (words, 'row');
    INSERT INTO root VALUES (0, '', 2147483647), (1, '${folder.at("a.jsonl")}', 0);
    INSERT INTO source (id, root, path) VALUES (0, 0, ''), (1, 1, '${folder.at("a.jsonl")}');
    INSERT INTO record VALUES (1, 'k0', 1, 1, 0, 'Title 0', 'old text'),
      (2, 'own', 0, 1, 0, 'Own', 'put by a client'), (3, 'k1', 1, 0, 0, 'Title 1', 'old text'),
      (4, 'k1', 0, 0, 1, NULL, NULL);
    PRAGMA application_id = 1936679787; PRAGMA user_version = 1;
  `);
  db.close();
  await using engine = await openSearch({ index });
  assertEquals(engine.lookup("own")?.text, "put by a client");
  assertEquals((await engine.search("client")).hits[0]?.key, "own");
  assertEquals(engine.lookup("k0")?.text, "common word0 text");
  assertEquals([engine.lookup("k1"), engine.lookup("k2")?.title], [undefined, "Title 2"]);
});

Deno.test("an index of a later version is refused", async () => {
  await using folder = await Folder.make();
  const index = folder.at("i.db");
  await (await openSearch({ index })).close();
  const db = new DatabaseSync(index);
  db.exec("PRAGMA user_version = 999");
  db.close();
  const error = await assertCode(openSearch({ index }), "index-newer");
  assertMatch(error.message, /version is 999/);
});

Deno.test("a damaged index is told", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(500) });
  const index = folder.at("i.db");
  const data = [folder.at("a.jsonl")];
  await (await openSearch({ index, data })).close();
  const bytes = await Deno.readFile(index);
  bytes.fill(0x5a, 4096);
  await Deno.writeFile(index, bytes);
  const error = await assertCode(openSearch({ index, data }), "index-damaged");
  assertStringIncludes(error.message, "built anew");
});

Deno.test("an index that is open already is locked", async () => {
  await using folder = await Folder.make();
  const index = folder.at("i.db");
  {
    await using engine = await openSearch({ index });
    const error = await assertCode(openSearch({ index }), "index-locked");
    assertStringIncludes(error.message, "another server has it open");
    assert(engine.lookup("ring"));
  }
  await (await openSearch({ index })).close();
  // Nothing but the index is left.
  assertEquals([...Deno.readDirSync(folder.path)].map((entry) => entry.name), ["i.db"]);
});

Deno.test("an index that another program has locked is told", async () => {
  await using folder = await Folder.make();
  const index = folder.at("i.db");
  await (await openSearch({ index })).close();
  const db = new DatabaseSync(index);
  db.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE");
  db.exec("CREATE TABLE held (x)");
  try {
    const error = await assertCode(openSearch({ index, data: [] }), "index-locked");
    assertStringIncludes(error.message, "another program has it open");
  } finally {
    db.exec("ROLLBACK");
    db.close();
  }
  await (await openSearch({ index, data: [] })).close();
});

Deno.test("a place that cannot be written is told", async () => {
  if (Deno.build.os !== "linux") return;
  const error = await assertCode(openSearch({ index: "/proc/i.db" }), readOnlyOr("index-failed"));
  assertEquals(error.path, "/proc/i.db");
  await using folder = await Folder.make();
  await using mount = await mounted(folder.path, "ro");
  if (!mount.isMounted) return;
  await assertCode(openSearch({ index: folder.at("i.db") }), "index-read-only");
});

Deno.test("a disk that fills up while indexing is told, and what was there stays", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(100) });
  const index = folder.at("i.db");
  await (await openSearch({ index, data: [folder.at("a.jsonl")] })).close();
  await folder.write("b.jsonl", records(6_000, 100));
  const data = [folder.at("a.jsonl"), folder.at("b.jsonl")];
  const error = await assertCode(openWith({ index, data }, { maxPages: 300 }), "index-full");
  assertStringIncludes(error.message, "make room");
  {
    await using engine = await openSearch({ index });
    assertEquals(engine.lookup("k99")?.title, "Title 99");
    assertEquals((await engine.search("word99")).total, 1);
  }
  await using engine = await openSearch({ index, data });
  assertEquals((await engine.stats()).entries, 6_100);
  assertEquals((await engine.search("word6000")).hits[0]?.key, "k6000");
});

Deno.test("a put that finds the disk full fails, and what was answered before stays", async () => {
  await using folder = await Folder.make();
  const index = folder.at("i.db");
  const stored: string[] = [];
  {
    await using engine = await openWith({ index, data: [], writable: true }, { maxPages: 200 });
    const text = Array.from({ length: 2000 }, (_, i) => `word${i}`).join(" ");
    for (let i = 0;; i++) {
      const outcome = await engine.put({ key: `k${i}`, title: "", text }).catch((error) => error);
      if (outcome !== undefined) {
        await assertCode(Promise.reject(outcome), "index-full");
        break;
      }
      stored.push(`k${i}`);
    }
    assert(stored.length > 0 && engine.lookup(stored[0]!) !== undefined);
    assertEquals((await engine.search("word1999", { limit: 100 })).total, stored.length);
  }
  await using engine = await openSearch({ index });
  assertEquals((await engine.stats()).entries, stored.length);
});

Deno.test("a file system that is full is told", async () => {
  await using folder = await Folder.make();
  await using mount = await mounted(folder.path, "size=2m");
  if (!mount.isMounted) return;
  await using source = await Folder.make({ "b.jsonl": records(50_000) });
  const index = folder.at("i.db");
  await assertCode(openSearch({ index, data: [source.at("b.jsonl")] }), "index-full");
});

Deno.test("an entry whose put was answered survives the killing of its process", async () => {
  await using folder = await Folder.make();
  const index = folder.at("i.db");
  const program = new URL("./put_until_killed.ts", import.meta.url).href;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", program, index],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let answered = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    answered += text;
    // Some answers in, and more writes under way.
    if (answered.split("\n").length > 20) break;
  }
  child.kill("SIGKILL");
  await child.status;
  const keys = answered.split("\n").slice(0, -1);
  assert(keys.length >= 20);
  const observer = new Recorder();
  await using engine = await openSearch({ index, observer });
  for (const key of keys) {
    assertEquals(engine.lookup(key)?.text, `text of ${key}`);
    assertEquals((await engine.search(`"text of ${key}"`)).hits[0]?.key, key);
  }
});

/** As root, /proc refuses with "not permitted" or "no such file", depending on the kernel. */
function readOnlyOr(code: "index-failed") {
  try {
    Deno.openSync("/proc/i.db", { create: true, write: true }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return "index-read-only";
  }
  return code;
}

/** Puts an empty file system over a folder, where the machine and the user allow it. */
async function mounted(path: string, options: string) {
  let isMounted = false;
  try {
    const args = ["-t", "tmpfs", "-o", options, "tmpfs", path];
    isMounted = (await new Deno.Command("mount", { args, stderr: "null" }).output()).success;
  } catch {
    // No mount command.
  }
  return {
    isMounted,
    async [Symbol.asyncDispose]() {
      if (isMounted) await new Deno.Command("umount", { args: ["-l", path] }).output();
    },
  };
}

Deno.test("records are found by their keys without reading the others", async () => {
  await using folder = await Folder.make({});
  using db = openIndexWriter(folder.at("i.db"), { temporary: true });
  for (const query of [recordsWithKey("id"), servedRecord("id")]) {
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${query}`).all("k").map(({ detail }) =>
      String(detail)
    );
    const searches = steps.filter((step) => step.startsWith("SEARCH"));
    assertEquals(searches.map((step) => /INDEX (\S+)/.exec(step)?.[1]), [
      "sqlite_autoindex_record_1",
      "record_key",
    ]);
    assertEquals(steps.filter((step) => step.startsWith("SCAN")), []);
  }
});

Deno.test("no statement of the writer reads all records", async () => {
  using db = openIndexWriter(":memory:", { temporary: true });
  const prepare = db.prepare.bind(db);
  const asked = new Set<string>();
  db.prepare = (sql) => {
    asked.add(sql);
    return prepare(sql);
  };
  const options = {
    data: [],
    follow: false,
    exclude: [],
    watch: false,
    prune: false,
    ownFiles: { has: () => false },
    textFields: [],
    entries: false,
    maxEntryBytes: 1000,
  };
  const report = new PassReport(() => {});
  const indexer = new Indexer(db, new RecordStore(db), options, report, () => {});
  await indexer.pass(new AbortController().signal);
  const scans = [...asked].filter((sql) => / record /.test(sql)).flatMap((sql) =>
    prepare(`EXPLAIN QUERY PLAN ${sql}`).all().map(({ detail }) => `${detail} in ${sql}`)
  ).filter((step) => step.startsWith("SCAN record ") && !/INDEX record_(key|source)/.test(step));
  assertEquals(scans, []);
  assert([...asked].filter((sql) => sql.includes("FROM record WHERE source")).length >= 5);
});

Deno.test("an index from before clients' entries had one index less goes on with all entries", async () => {
  await using folder = await Folder.make({ "a.jsonl": records(3) });
  const [index, data] = [folder.at("i.db"), [folder.at("a.jsonl")]];
  {
    await using engine = await openSearch({ index, data, writable: true });
    await engine.put({ key: "own", title: "", text: "put by a client" });
    await engine.put({ key: "gone", title: "", text: "deleted by a client" });
    await engine.delete("gone");
    await engine.delete("k1");
    assertEquals((await engine.stats()).entries, 3);
  }
  const db = new DatabaseSync(index);
  db.exec(`DROP INDEX record_source; CREATE INDEX record_source ON record (source, shown);
    PRAGMA user_version = 4`);
  db.close();
  await folder.write("a.jsonl", records(2));
  await using engine = await openSearch({ index, data, writable: true });
  assertEquals((await engine.stats()).entries, 2);
  assertEquals([engine.lookup("k2"), engine.lookup("own")?.text], [undefined, "put by a client"]);
  const { entries, put, problems } = checkIndex(index);
  assertEquals([entries, put, problems], [2, 1, []]);
});
