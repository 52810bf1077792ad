/** A folder of which a file is gone, cut off, another store's or an older one is never taken as it is. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  backupStreamStore,
  checkStreamStore,
  openStreamStore,
  repairStreamStore,
} from "../../../../lib/pubsub/mod.ts";
import { exchange, lockStore } from "../../../../lib/pubsub/broker/streams/sqlite/exchange.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { openWriter, SqliteError } from "../../../../lib/sqlite/mod.ts";
import { Scratch } from "../../../support/scratch.ts";
import { skipOnWindows } from "../../../support/skip.ts";
import { FolderStore } from "./journal_support.ts";

const FILES = ["socktool.db", "socktool.db-wal", "socktool.journal"] as const;
type File = typeof FILES[number];

/** A young store, whose tables are in its log, as a process that was killed left it; and before that. */
function killed(scratch: Scratch, name: string): { last: string; older: string } {
  const folder = scratch.at(name);
  Deno.mkdirSync(folder);
  using store = new FolderStore(folder);
  store.append("one");
  const older = store.copyTo(scratch.at(`${name}-older`));
  for (const text of ["two", "three"]) {
    // All is written to the database, and the journal begins again.
    for (let i = 0; i < 2; i++) store.engine.perform([], store.now += 1_000);
    store.append(text);
  }
  return { last: store.copyTo(scratch.at(`${name}-last`)), older };
}

Deno.test("what is left of a store where a file is gone or another one is told as damaged", async () => {
  using scratch = new Scratch();
  const { last, older } = killed(scratch, "store");
  const other = killed(scratch, "other").last;
  const from = (folder: string) => (path: string, file: File) =>
    Deno.copyFileSync(`${folder}/${file}`, path);
  /** What is done to a file, and how many messages a repair keeps of the three. */
  const changes: readonly [File, string, (path: string, file: File) => void, number][] = [
    ["socktool.db", "missing", (path) => Deno.removeSync(path), 3],
    ["socktool.db", "empty", (path) => Deno.truncateSync(path), 3],
    ["socktool.db-wal", "missing", (path) => Deno.removeSync(path), 1],
    ["socktool.db-wal", "older", from(older), 0],
    ["socktool.journal", "missing", (path) => Deno.removeSync(path), 2],
    ["socktool.journal", "older", from(older), 2],
    ["socktool.journal", "another's", from(other), 2],
  ];
  for (const [i, [file, change, make, kept]] of changes.entries()) {
    const what = `${file} is ${change}`;
    const folder = scratch.at(`case${i}`);
    Deno.mkdirSync(folder);
    for (const each of FILES) Deno.copyFileSync(`${last}/${each}`, `${folder}/${each}`);
    make(`${folder}/${file}`, file);
    const isGone = file === "socktool.db";
    if (isGone) {
      const error = await assertRejects(() => openStreamStore(folder), SqliteError);
      assertEquals(error.code, "damaged");
      assertStringIncludes(error.message, `socktool stream repair --store ${folder}`);
    }
    const copy = scratch.at("copy");
    const told = isGone ? "the file is missing or empty" : "its journal";
    await assertRejects(() => backupStreamStore(folder, copy), Error, told);
    const { messages, lost, damaged } = await repairStreamStore(folder);
    assertEquals([what, messages, lost.length === 0], [what, kept, isGone]);
    assert(damaged, what);
  }
  await assertRejects(() => checkStreamStore(scratch.at("none")), SqliteError, "there is none");
});

Deno.test("a store that was closed in order, or copied, needs no journal", async () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  Deno.mkdirSync(folder);
  let backup: string;
  {
    using store = new FolderStore(folder);
    store.append("one");
    await backupStreamStore(folder, backup = scratch.at("copy.db"));
  }
  assert(Deno.statSync(`${folder}/socktool.journal`).size > 0);
  Deno.removeSync(`${folder}/socktool.journal`);
  Deno.mkdirSync(scratch.at("copied"));
  Deno.renameSync(backup, scratch.at("copied/socktool.db"));
  for (const each of [folder, scratch.at("copied")]) {
    assertEquals(await checkStreamStore(each), { streams: 1, messages: 1, problems: [] });
    using store = new FolderStore(each);
    assertEquals(store.append("two", "one"), [2, -1]);
  }
});

/** What a repair changes files with. */
const CHANGES = ["link", "copyFile", "remove", "removeSync", "renameSync"] as const;

/** Runs what is ended as if the process were killed before it changes files for the nth time. */
async function killedAt(n: number, run: () => Promise<unknown>): Promise<boolean> {
  const [whole, changing] = [{ ...Deno }, Deno as unknown as Record<string, unknown>];
  let changes = 0;
  for (const name of CHANGES) {
    changing[name] = (...args: readonly unknown[]) => {
      if (++changes < n) return (whole[name] as (...args: readonly unknown[]) => unknown)(...args);
      const killed = new Error("Killed");
      if (name.endsWith("Sync")) throw killed;
      return Promise.reject(killed);
    };
  }
  try {
    await run().catch(() => {});
  } finally {
    for (const name of CHANGES) changing[name] = whole[name];
  }
  return changes >= n;
}

/** The files of a folder, but for what SQLite makes anew, and what is in them. */
function contentsOf(folder: string): Map<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return new Map(
    names.filter((name) => !name.endsWith("-shm"))
      .map((name) => [name, Deno.readFileSync(`${folder}/${name}`).toBase64()]),
  );
}

Deno.test("a repair that is killed leaves the store as it was, or the next process that opens it ends the repair", async () => {
  using scratch = new Scratch();
  const { last } = killed(scratch, "store");
  const before = contentsOf(last);
  const other = scratch.at("other.db");
  openWriter(other, { schema: STREAM_SCHEMA }).close();
  /** A store whose repair is killed when it has another database for it. */
  const repaired = async (
    name: string,
    n: number,
  ): Promise<[folder: string, isKilled: boolean]> => {
    const folder = scratch.at(name);
    Deno.mkdirSync(folder);
    for (const file of FILES) Deno.copyFileSync(`${last}/${file}`, `${folder}/${file}`);
    const copy = `${folder}/socktool.db.repaired`;
    Deno.copyFileSync(other, copy);
    // Whoever ends the repair gives the damaged files the name that the others have.
    Deno.utimeSync(copy, 1e9, 1e9);
    return [folder, await killedAt(n, () => exchange(`${folder}/socktool.db`, copy))];
  };
  const copy = Deno.readFileSync(other).toBase64();
  let ended = 0;
  let n = 1;
  for (let isKilled = true; isKilled; n++) {
    const [folder, wasKilled] = await repaired(`killed${n}`, n);
    isKilled = wasKilled;
    await (await lockStore(`${folder}/socktool.db`))[Symbol.asyncDispose]();
    const files = contentsOf(folder);
    if (files.get("socktool.db") !== copy) {
      assertEquals(files, before, `killed before change ${n}`);
      continue;
    }
    ended++;
    const old = "socktool.db.damaged-2001-09-09T01-46-40-000Z";
    const all = ["socktool.db", old, `${old}-wal`, `${old}.journal`].sort();
    assertEquals([...files.keys()], all, `killed before change ${n}`);
    assertEquals(files.get(old), before.get("socktool.db"));
    assertEquals(files.get(`${old}-wal`), before.get("socktool.db-wal"));
    assertEquals(files.get(`${old}.journal`), before.get("socktool.journal"));
  }
  assert(ended > 2 && ended < n - 3, `${ended} of ${n}`);
  const openers: readonly ((folder: string) => Promise<unknown>)[] = [
    repairStreamStore,
    async (folder) => await (await openStreamStore(folder))[Symbol.asyncDispose](),
    (folder) => backupStreamStore(folder, `${folder}/copy.db`),
  ];
  for (const [i, open] of openers.entries()) {
    const [folder] = await repaired(`opened${i}`, n - 2);
    assert(contentsOf(folder).has("socktool.db.next"));
    await open(folder);
    assert(!contentsOf(folder).has("socktool.db.next"), `${open}`);
  }
});

/** A change of names in a folder: a file gets another name, loses its own, or has one more. */
type NameChange = readonly [how: "link" | "rename" | "remove", from: string, to: string];

/** Does something to a folder; what it changes there, by the times at which it had the disk keep that. */
async function changesOf(folder: string, run: () => Promise<unknown>): Promise<NameChange[][]> {
  const { link, renameSync, removeSync, openSync } = Deno;
  const kept: NameChange[][] = [[]];
  const nameOf = (path: string | URL) => String(path).slice(folder.length + 1);
  const note = (how: NameChange[0], from: string | URL, to: string | URL = "") =>
    void kept.at(-1)!.push([how, nameOf(from), nameOf(to)]);
  Object.assign(Deno, {
    link: (from: string, to: string) => (note("link", from, to), link(from, to)),
    renameSync: (from: string, to: string) => (note("rename", from, to), renameSync(from, to)),
    removeSync: (path: string) => (note("remove", path), removeSync(path)),
    openSync(path: string, options?: Deno.OpenOptions) {
      if (path === `${folder}/`) kept.push([]);
      return openSync(path, options);
    },
  });
  try {
    await run();
  } finally {
    Object.assign(Deno, { link, renameSync, removeSync, openSync });
  }
  return kept;
}

function change(folder: string, [how, from, to]: NameChange): void {
  if (how === "link") Deno.linkSync(`${folder}/${from}`, `${folder}/${to}`);
  else if (how === "rename") Deno.renameSync(`${folder}/${from}`, `${folder}/${to}`);
  else Deno.removeSync(`${folder}/${from}`);
}

/** Which file each name in a folder leads to, but for what SQLite makes anew. */
function filesOf(folder: string): Record<string, number | null | undefined> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(
    names.filter((name) => !name.endsWith("-shm"))
      .map((name) => [name, Deno.statSync(`${folder}/${name}`).ino]),
  );
}

Deno.test("whichever names a power cut takes of those that a repair changed, a store is whole afterwards", async () => {
  if (skipOnWindows("which cannot sync a folder")) return;
  using scratch = new Scratch();
  const { last } = killed(scratch, "store");
  const copy = `${last}/socktool.db.repaired`;
  openWriter(copy, { schema: STREAM_SCHEMA }).close();
  Deno.utimeSync(copy, 1e9, 1e9);
  const folderLike = (name: string) => {
    const folder = scratch.at(name);
    Deno.mkdirSync(folder);
    for (const file of [...FILES, "socktool.db.repaired"]) {
      Deno.linkSync(`${last}/${file}`, `${folder}/${file}`);
    }
    return folder;
  };
  const [db, wal, repaired, journal] = Object.values(filesOf(folderLike("files")));
  const before = { "socktool.db": db, "socktool.db-wal": wal, "socktool.journal": journal };
  const old = "socktool.db.damaged-2001-09-09T01-46-40-000Z";
  const after = { "socktool.db": repaired, [old]: db, [`${old}-wal`]: wal };
  Object.assign(after, { [`${old}.journal`]: journal });
  const whole = folderLike("whole");
  const kept = await changesOf(
    whole,
    () => exchange(`${whole}/socktool.db`, `${whole}/socktool.db.repaired`),
  );
  assertEquals(filesOf(whole), after);
  assertEquals(kept.at(-1), [], "in the end the disk has all of it");
  let [olds, ends] = [0, 0];
  for (const [i, changes] of kept.entries()) {
    for (let taken = 0; taken < 2 ** changes.length; taken++) {
      const folder = folderLike(`cut${i}-${taken}`);
      for (const each of kept.slice(0, i).flat()) change(folder, each);
      const left = changes.filter((_, at) => (taken & (1 << at)) === 0);
      for (const each of left) change(folder, each);
      await (await lockStore(`${folder}/socktool.db`))[Symbol.asyncDispose]();
      const isOld = filesOf(folder)["socktool.db"] === db;
      const what = `of part ${i} there is ${JSON.stringify(left)}`;
      assertEquals(filesOf(folder), isOld ? before : after, what);
      if (isOld) olds++;
      else ends++;
    }
  }
  assert(olds > 5 && ends > 5, `${olds} as before, ${ends} repaired`);
});
