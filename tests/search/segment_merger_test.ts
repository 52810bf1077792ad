import { assert, assertEquals, assertLess } from "@std/assert";
import type { DatabaseSync } from "node:sqlite";
import { IndexJob, type IndexMessage } from "../../lib/search/index/index_job.ts";
import { openIndexReader, openIndexWriter } from "../../lib/search/index/open_index.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";
import { Folder } from "./support.ts";

const numberOf = (db: DatabaseSync, value: string) =>
  Number(db.prepare(`SELECT ${value} AS n`).get()!["n"]);

/** How many segments the full-text index has. */
const segmentsOf = (db: DatabaseSync) =>
  numberOf(db, "(SELECT count(DISTINCT segid) FROM words_idx)");

/** How many rows `action` writes, a page of the full-text index being one. */
function rowsWritten(db: DatabaseSync, action: () => void): number {
  const before = numberOf(db, "total_changes()");
  action();
  return numberOf(db, "total_changes()") - before;
}

/** An index with three segments of some 80 pages each, as a first pass leaves them. */
function makeIndex() {
  const db = openIndexWriter(":memory:", { temporary: true });
  const store = new RecordStore(db);
  const put = (key: string, text: string) =>
    rowsWritten(db, () => store.change(() => void store.put({ key, title: "", text })));
  for (let large = 0; large < 3; large++) {
    const words = Array.from({ length: 25_000 }, (_, i) => `w${(i * 7919 + large) % 1e6}`);
    put(`large-${large}`, words.join(" "));
  }
  return { db, put, segments: store.words.segments };
}

Deno.test("no write, and no step between writes, merges large segments as a whole", async () => {
  const { db, put, segments } = makeIndex();
  const { signal } = new AbortController();
  const written = Array.from({ length: 40 }, (_, i) => put(`k${i}`, `number ${i}`));
  assertLess(Math.max(...written), 20);
  const before = numberOf(db, "total_changes()");
  // Its first step is made at once.
  const merging = segments.merge(signal);
  const step = numberOf(db, "total_changes()") - before;
  await merging;
  const all = numberOf(db, "total_changes()") - before;
  assert(step >= 2 && step < all / 2, `${step} of ${all} rows`);
  assertEquals(segmentsOf(db), 1);
  db.close();
});

Deno.test("each write makes a few steps of merging, so that none are left to be made at once", () => {
  const { db, put, segments } = makeIndex();
  const written = Array.from({ length: 200 }, (_, i) => {
    put(`k${i}`, `number ${i}`);
    return rowsWritten(db, () => segments.wrote(10));
  });
  const [most, all] = [Math.max(...written), written.reduce((sum, rows) => sum + rows)];
  assert(most >= 32 && most < all / 2, `${most} of ${all} rows`);
  assertLess(segmentsOf(db), 40);
  db.close();
});

Deno.test("segments of clients' writes are merged between them, however fast they come", async () => {
  await using folder = await Folder.make();
  const index = { path: folder.at("i.db") };
  const failed: IndexMessage[] = [];
  const options = { watch: false, follow: false, exclude: [], prune: false, data: undefined };
  const reading = { textFields: [], entries: false, maxEntryBytes: 1000 };
  const job = new IndexJob({ ...index, ...options, ...reading, temporary: true }, (message) => {
    if (!["ready", "written"].includes(message.type)) failed.push(message);
  });
  await job.start();
  const db = openIndexReader(index);
  let most = 0;
  for (let i = 0; i < 200; i++) {
    const entry = { key: `k${i}`, title: "", text: `number ${i}` };
    job.write({ operations: [{ kind: "put", entry }], length: 10 });
    most = Math.max(most, segmentsOf(db));
  }
  db.close();
  await job.close();
  assertEquals(failed, []);
  assert(most > 10 && most < 60, `${most} segments`);
});
