/** The journal of a store: disks that fail, files that are damaged, and what has no use for it. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import {
  backupStreamStore,
  checkStreamStore,
  openStreamStore,
  repairStreamStore,
} from "../../../../lib/pubsub/mod.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import {
  JOURNAL_BYTES,
  journalHead,
  RECORDS_AT,
} from "../../../../lib/pubsub/broker/streams/sqlite/journal/layout.ts";
import { Journal } from "../../../../lib/pubsub/broker/streams/sqlite/journal/journal.ts";
import { contentOf } from "../../../../lib/pubsub/broker/streams/sqlite/journal/reading.ts";
import { checksumOf } from "../../../../lib/pubsub/broker/streams/sqlite/checksum.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { SqliteError } from "../../../../lib/sqlite/mod.ts";
import { Scratch } from "../../../support/scratch.ts";
import { FolderStore, MemoryFile } from "./journal_support.ts";
import { appendOrder, publication, UNLIMITED } from "./support.ts";

/** A store that a process left when it was killed, with these messages in the journal alone. */
function crashed(scratch: Scratch, ...contents: readonly string[]): string {
  const folder = scratch.at("store");
  Deno.mkdirSync(folder);
  using store = new FolderStore(folder);
  for (const content of contents) store.append(content);
  return store.copyTo(scratch.at("crashed"));
}

Deno.test("records are read as they were written, up to one that is not whole", () => {
  const runs = fc.array(
    fc.record({
      stream: fc.nat(),
      first: fc.nat(),
      count: fc.nat(),
      time: fc.nat(),
      frames: fc.uint8Array({ maxLength: 200 }),
    }),
    { minLength: 1, maxLength: 20 },
  ).map((all) => all.map((run) => ({ ...run, crc: checksumOf(run.frames) })));
  fc.assert(
    fc.property(
      runs,
      fc.infiniteStream(fc.boolean()),
      fc.double(),
      fc.nat(),
      (all, syncs, where, bit) => {
        const file = new MemoryFile();
        const journal = new Journal(file, 7);
        for (const run of all) {
          assertEquals(journal.add(run), run.frames);
          journal.write(syncs.next().value!);
        }
        const { records } = contentOf(file.bytes, 7);
        const read = records.map(({ stream, first, count, time, frames, crc }) => (
          { stream, first, count, time, frames, crc }
        ));
        assertEquals(read, all);
        assertEquals(contentOf(file.bytes, 8).records, [], "those with another salt are none");
        const end = records.at(-1)!.end;
        const at = RECORDS_AT + Math.floor(Math.abs(where % 1 || 0) * (end - RECORDS_AT));
        const damaged = file.bytes.slice();
        damaged[at]! ^= 1 << (bit & 7);
        const hit = records.findIndex((record) => at < record.end);
        const { at: from, end: to, frames } = records[hit]!;
        const isPadding = at >= from + 64 + frames.length && at < to;
        const { records: left, damage } = contentOf(damaged, 7);
        assertEquals(left.length, isPadding ? all.length : hit);
        // It is told where a later record was written after this one was on the disk.
        const isTold = !isPadding && records.slice(hit + 1).some(({ synced }) => synced > from);
        assertEquals(damage, isTold ? { kind: "broken", at: from } : undefined);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("a damaged journal is told, and repaired but for what is damaged", async () => {
  using scratch = new Scratch();
  const folder = crashed(scratch, "a", "b", "c", "d");
  assertEquals(await checkStreamStore(folder), { streams: 1, messages: 4, problems: [] });
  const path = `${folder}/socktool.journal`;
  const image = Deno.readFileSync(path);
  const salt = new DataView(image.buffer).getFloat64(RECORDS_AT, true);
  const [, second] = contentOf(image, salt).records;
  image[second!.end - 10]! ^= 1;
  Deno.writeFileSync(path, image);
  const { problems } = await checkStreamStore(folder);
  assertEquals(problems.length, 1);
  assertStringIncludes(problems[0]!, `journal is damaged at byte ${second!.at}, before 2 whole`);
  const error = await openStreamStore(folder).then(() => undefined, (each) => each);
  assert(error instanceof SqliteError && error.code === "damaged", String(error));
  assertStringIncludes(error.message, "stream repair --store");
  const copy = scratch.at("copy.db");
  await assertRejects(() => backupStreamStore(folder, copy), Error, "journal is damaged at byte");
  await assertRejects(() => Deno.lstat(copy), Deno.errors.NotFound);
  const { messages, lost, damaged } = await repairStreamStore(folder);
  assertEquals([messages, lost.length], [3, 1]);
  assertEquals(Deno.readFileSync(`${damaged}.journal`), image, "the damaged one is kept");
  assertEquals(await checkStreamStore(folder), { streams: 1, messages: 3, problems: [] });
  using store = new FolderStore(folder);
  assertEquals(store.contents, { 1: "a", 3: "c", 4: "d" });
  assertEquals(store.append("c", "e"), [-3, 5]);
});

Deno.test("a journal that was cut off is told, wherever, and the rest of it is kept", async () => {
  using scratch = new Scratch();
  const whole = crashed(scratch, "a", "b", "c");
  const image = Deno.readFileSync(`${whole}/socktool.journal`);
  const salt = new DataView(image.buffer).getFloat64(RECORDS_AT, true);
  const { records } = contentOf(image, salt);
  const ends = records.map(({ end }) => end);
  for (const size of [RECORDS_AT + 8, ends[0]! - 1, ends[0]!, ends[2]! - 1, JOURNAL_BYTES - 1]) {
    const { damage, records: left } = contentOf(image.subarray(0, size), salt);
    assertEquals(damage, { kind: "cut-off", at: size });
    assertEquals(left.length, ends.filter((end) => end <= size).length);
  }
  const path = `${whole}/socktool.journal`;
  Deno.writeFileSync(path, image.subarray(0, ends[1]!));
  const { problems } = await checkStreamStore(whole);
  assertEquals(problems, [`its journal is cut off at byte ${ends[1]}`]);
  const error = await openStreamStore(whole).then(() => undefined, (each) => each);
  assert(error instanceof SqliteError && error.code === "damaged", String(error));
  const { messages, lost } = await repairStreamStore(whole);
  assertEquals([messages, lost.length], [2, 1]);
});

Deno.test("what was dropped of a row that is lost is not taken out of the journal's messages", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  Deno.mkdirSync(folder);
  using store = new FolderStore(folder);
  for (const content of ["a", "b"]) {
    store.append(content);
    store.save();
  }
  store.append("c");
  const crashed = store.copyTo(scratch.at("crashed"));
  const db = new DatabaseSync(`${crashed}/socktool.db`);
  const rows = db.prepare("SELECT id, first FROM run ORDER BY id").all();
  assertEquals(rows.map(({ first }) => first), [1, 2], "the journal alone has the third");
  const { id } = rows[1]!;
  db.prepare("INSERT INTO gone SELECT id, 1, bytes, x'01' FROM run WHERE id = ?").run(id!);
  db.prepare("UPDATE run SET crc = crc + 1 WHERE id = ?").run(id!);
  db.close();
  const { messages, lost } = await repairStreamStore(crashed);
  assertEquals([messages, lost], [2, ["stream orders, messages 2 to 2: not as written"]]);
  using repaired = new FolderStore(crashed);
  assertEquals(repaired.contents, { 1: "a", 3: "c" });
});

Deno.test("a copy of a store has what only its journal has", async () => {
  using scratch = new Scratch();
  const folder = crashed(scratch, "a", "b");
  Deno.mkdirSync(scratch.at("copy"));
  await backupStreamStore(folder, scratch.at("copy/socktool.db"));
  assertEquals([...Deno.readDirSync(scratch.at("copy"))].map(({ name }) => name), ["socktool.db"]);
  using copy = new FolderStore(scratch.at("copy"));
  assertEquals(copy.contents, { 1: "a", 2: "b" });
});

Deno.test("a journal that is none, or a later version's, is refused by name and left alone", async () => {
  using scratch = new Scratch();
  const folder = crashed(scratch, "a");
  const path = `${folder}/socktool.journal`;
  const whole = Deno.readFileSync(path);
  const later = whole.slice();
  later[17] = 2;
  const cases: [Uint8Array, RegExp][] = [
    [later, /socktool\.journal is of version 2 and this program knows 1/],
    [new TextEncoder().encode("dear diary"), /socktool\.journal is another program's file/],
  ];
  const isRefused = async (message: RegExp) => {
    const error = await openStreamStore(folder).then(() => undefined, (each) => each);
    assert(error instanceof SqliteError && message.test(error.message), String(error));
  };
  for (const [bytes, message] of cases) {
    Deno.writeFileSync(path, bytes);
    await isRefused(message);
    assertEquals(Deno.readFileSync(path), bytes);
  }
  Deno.truncateSync(path, 20 * JOURNAL_BYTES);
  await isRefused(/socktool\.journal is another program's file/);
  // One that was not finished when the process ended has nothing, as the database knows.
  Deno.writeFileSync(path, whole);
  new FolderStore(folder)[Symbol.dispose]();
  for (const [i, bytes] of [[], journalHead().fill(0), journalHead()].entries()) {
    Deno.writeFileSync(path, Uint8Array.from(bytes));
    using store = new FolderStore(folder);
    store.save();
    assertEquals(store.append(`${i}`), [i + 2]);
    assertEquals(Deno.statSync(path).size, JOURNAL_BYTES);
  }
});

/** An engine over a journal in memory, with one stream. */
function withFile(use: (engine: StreamEngine, file: MemoryFile, db: DatabaseSync) => void): void {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const file = new MemoryFile();
  const engine = new StreamEngine(db, { openJournal: (salt) => new Journal(file, salt) });
  engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  use(engine, file, db);
}

function store(engine: StreamEngine, content: string): unknown {
  const order = appendOrder("orders", publication("orders.a", content));
  const [result] = engine.perform([order], 1).results;
  if ("failure" in result!) return result.failure.code;
  return "value" in result! ? (result.value as unknown[])[0] : undefined;
}

const rowsIn = (db: DatabaseSync) => db.prepare("SELECT first FROM run").all().length;

Deno.test("where the journal cannot be written, the database is; from an error of the disk on, nothing", () => {
  withFile((engine, file, db) => {
    assertEquals(store(engine, "a"), 1);
    assertEquals(rowsIn(db), 0);
    file.writeError = new SqliteError("full", "", "write to", "the disk is full");
    assertEquals(store(engine, "b"), 2);
    assertEquals(rowsIn(db), 2);
    file.writeError = undefined;
    assertEquals(store(engine, "c"), 3);
    assertEquals(rowsIn(db), 2, "the journal is used again");
    file.syncError = new Error("Input/output error (os error 5)");
    assertEquals(store(engine, "d"), "storage-failed");
    file.syncError = undefined;
    assertEquals(store(engine, "e"), "storage-failed", "it is never tried again");
    assertEquals(engine.figures().map(({ lastSeq }) => lastSeq), [3]);
  });
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  let tries = 0;
  const openJournal = () => {
    tries++;
    throw new Error("No space left on device (os error 28)");
  };
  const engine = new StreamEngine(db, { openJournal });
  engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  for (const [i, content] of ["a", "b", "c"].entries()) assertEquals(store(engine, content), i + 1);
  assertEquals([rowsIn(db), tries], [3, 1]);
});

Deno.test("a full journal goes to the database, and begins again", () => {
  withFile((engine, file, db) => {
    const content = "x".repeat(100_000);
    let last = 0;
    while (rowsIn(db) === 0) assertEquals(store(engine, content), ++last);
    assert(last > 30, `${last} fit`);
    assertEquals(rowsIn(db), last);
    assertEquals(store(engine, "more"), last + 1);
    assertEquals(rowsIn(db), last);
    const salt = db.prepare("SELECT value FROM counter WHERE name = 'journal'").get()!["value"];
    assertEquals(contentOf(file.bytes, salt as number).records.map(({ first }) => first), [
      last + 1,
    ]);
  });
});

Deno.test("rows of the journal are written while nothing else is to be done, before there are many", () => {
  withFile((engine, file, db) => {
    const content = "x".repeat(50_000);
    const saltOf = () =>
      db.prepare("SELECT value FROM counter WHERE name = 'journal'").get()!["value"] as number;
    const salt = saltOf();
    let last = 0;
    const storeNext = () => assertEquals(store(engine, content), ++last);
    for (let i = 0; i < 2; i++) storeNext();
    assertEquals([engine.tidy(1, true), rowsIn(db)], [undefined, 0], "they are few");
    storeNext();
    assertEquals([engine.tidy(1, false), rowsIn(db)], [undefined, 0], "somebody waits");
    const [told] = engine.tidy(1, true)!.changed;
    assertEquals([told!.readableSeq, rowsIn(db)], [3, 3]);
    assertEquals(saltOf(), salt, "the disk need not have them: the journal still has");
    assertEquals(contentOf(file.bytes, salt).records.map(({ first }) => first), [1, 2, 3]);
    while (engine.tidy(1, false) === undefined) storeNext();
    assert(last > 20 && last < 30, `${last} are too many, whoever waits`);
    assertEquals(rowsIn(db), last);
  });
});
