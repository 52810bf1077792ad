import { assertEquals } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { removeAbandoned } from "../../lib/search/temporary_index.ts";
import { FileLock } from "../../lib/sqlite/mod.ts";
import { until } from "../support/deadline.ts";
import { start } from "../support/programs.ts";
import { Folder } from "./support.ts";

Deno.test({
  name: "what killed processes left of temporary indexes is removed, and nothing else",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await Folder.make({
      "socktool-search-old/index.db": "x",
      "socktool-search-old/index.db-wal": "x",
      "socktool-search-used/index.db": "x",
      "socktool-search-killed/index.db": "x",
      "socktool-search-new/index.db": "",
      "socktool-search-other/notes.txt": "x",
      "else/index.db": "x",
    });
    for (const name of ["old", "used", "other"]) {
      await Deno.utime(folder.at(`socktool-search-${name}`), 1e9, 1e9);
    }
    await using _lock = await FileLock.take(folder.at("socktool-search-used/index.db"));
    await removeAbandoned(folder.at("socktool-search-new"));
    const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
    assertEquals(left, [
      "else",
      "socktool-search-new",
      "socktool-search-other",
      "socktool-search-used",
    ]);
  },
});

Deno.test("an index that links lead to is the same index", async () => {
  if (Deno.build.os === "windows") return;
  await using folder = await Folder.make({ "a.txt": "one" });
  const data = [folder.at("a.txt")];
  await (await openSearch({ data, index: folder.at("i.db") })).close();
  await Deno.symlink(folder.at("i.db"), folder.at("link.db"));
  await using engine = await openSearch({ data, index: folder.at("link.db"), writable: true });
  const other = await openSearch({ index: folder.at("i.db") }).catch((error) => error.code);
  assertEquals(other, "index-locked");
  await engine.put({ key: "k", title: "", text: "put" });
  assertEquals(engine.lookup("k")?.text, "put");
});

Deno.test({
  name: "a temporary index of a process that was killed is gone soon after the next start",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await Folder.make();
    const env = { TMPDIR: folder.path };
    const begin = () => start(["app-server", "127.0.0.1:0"], { env });
    const folders = () =>
      [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) =>
        name.startsWith("socktool-search-")
      );
    const killed = begin();
    await killed.printed("listening", "err");
    assertEquals(folders().length, 1);
    killed.kill("SIGKILL");
    await killed.finished();
    const [left] = folders();
    await using next = begin();
    await next.printed("listening", "err");
    await until(() => !folders().includes(left!), "what was left is removed");
    assertEquals(folders().length, 1);
  },
});
