import { assertEquals } from "@std/assert";
import { basename, dirname } from "node:path";
import { foldsNames, ownFiles } from "../../lib/search/index/path_folding.ts";
import { DataWatcher } from "../../lib/search/index/watch_data.ts";
import { deadline } from "../support/deadline.ts";
import { Folder } from "./support.ts";

/**
 * Has the system find files of a folder by any spelling, as it does on macOS and Windows, and tell
 * their paths as they are on the disk; or, as Linux does on such file systems, as they were asked for.
 */
function foldNames(folder: string, tellsAsked = false): Disposable {
  const { realPath, lstat } = Deno;
  const onDisk = (asked: string) => {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const same = (name: string) => name.toLowerCase() === basename(asked).toLowerCase();
    return dirname(asked) === folder ? `${folder}/${names.find(same) ?? "none"}` : asked;
  };
  Deno.realPath = async (path) => {
    const real = await realPath(onDisk(String(path)));
    return tellsAsked ? String(path) : real;
  };
  Deno.lstat = (path) => lstat(onDisk(String(path)));
  return { [Symbol.dispose]: () => void Object.assign(Deno, { realPath, lstat }) };
}

Deno.test("an index's own files are known by every spelling that the file system takes", async () => {
  await using folder = await Folder.make({ "Index.db": "", "other.db": "", "OTHER.DB": "" });
  const known = async (asked: string, names: readonly string[]) => {
    const own = await ownFiles(folder.at(asked));
    return names.filter((name) => own.has(folder.at(name)));
  };
  const names = ["Index.db", "index.db", "Index.db-wal", "INDEX.DB-SHM", "index.db.lock", "x.db"];
  {
    using _folding = foldNames(folder.path);
    assertEquals(await known("INDEX.DB", names), names.slice(0, -1));
  }
  // Where each spelling is another file, only those of the index are its own.
  assertEquals(await known("Index.db", names), ["Index.db", "Index.db-wal"]);
  assertEquals(await known("other.db", ["other.db", "OTHER.DB"]), ["other.db"]);
});

Deno.test("whether a file system folds names is seen by a file's other spelling", async () => {
  await using folder = await Folder.make({
    "a.db": "",
    "A.DB": "",
    "c.db": "",
    "1": "",
  });
  await Deno.symlink(folder.at("c.db"), folder.at("C.DB"));
  for (const name of ["a.db", "c.db", "1"]) {
    assertEquals(await foldsNames(folder.at(name)), false, name);
  }
  await Deno.remove(folder.at("A.DB"));
  using _folding = foldNames(folder.path);
  assertEquals(await foldsNames(folder.at("a.db")), true);
});

Deno.test("a file is watched whose name is spelled otherwise than on the disk", async () => {
  await using folder = await Folder.make({ "notes.md": "one" });
  // The system opens both spellings; it tells changes of the one that is on the disk.
  await Deno.link(folder.at("notes.md"), folder.at("Notes.md"));
  using _folding = foldNames(folder.path, true);
  const path = folder.at("Notes.md");
  const changed = Promise.withResolvers<unknown>();
  const options = { data: [path], follow: false, exclude: [], ownFiles: new Set<string>() };
  using watcher = new DataWatcher(options, {
    changed: (places) => changed.resolve(places),
    watching() {},
  });
  await watcher.update();
  await folder.write("notes.md", "two");
  assertEquals(await deadline(changed.promise), [{ root: path, path }]);
});
