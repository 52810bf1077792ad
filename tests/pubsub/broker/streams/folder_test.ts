/** A folder of which a file is gone, cut off, another store's or an older one is never taken as it is. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  backupStreamStore,
  checkStreamStore,
  openStreamStore,
  repairStreamStore,
} from "../../../../lib/pubsub/mod.ts";
import { SqliteError } from "../../../../lib/sqlite/mod.ts";
import { Scratch } from "../../../support/scratch.ts";
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
