import { assertEquals } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { Folder, Recorder } from "./support.ts";

Deno.test("patterns leave out files and folders as a .gitignore does", async () => {
  await using folder = await Folder.make({
    "d/a.txt": "x",
    "d/a.log": "x",
    "d/keep.log": "x",
    "d/build/out.txt": "x",
    "d/sub/build/out.txt": "x",
    "d/sub/b.txt": "x",
    "d/sub/c.tmp": "x",
    "d/sub/deep/d.tmp": "x",
    "d/sub/deep/Build": "x",
    "d/.socktoolignore": "# built\nbuild/\n*.log\n!keep.log\n",
    "d/sub/.socktoolignore": "*.tmp\n!deep/*.tmp\n/b.txt\n",
  });
  const keys = async (exclude: string[] = []) => {
    const observer = new Recorder();
    const data = [folder.at("d")];
    await using engine = await openSearch({ data, exclude, observer });
    assertEquals(observer.skippedFiles, []);
    const { hits } = await engine.search("x", { limit: 100 });
    return hits.map((hit) => hit.key).sort();
  };
  const own = ["a.txt", "keep.log", "sub/deep/Build", "sub/deep/d.tmp"];
  assertEquals(await keys(), own);
  assertEquals(await keys(["sub/"]), ["a.txt", "keep.log"]);
  assertEquals(await keys(["**/deep/**", "*.log"]), ["a.txt"]);
  assertEquals(await keys(["!*.log"]), ["a.log", ...own]);
});

Deno.test({
  name: "patterns count while watching, and their file's changes too",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using folder = await Folder.make({ "d/sub/a.txt": "one", "d/b.txt": "two" });
    const observer = new Recorder();
    const data = [folder.at("d")];
    await using engine = await openSearch({ data, exclude: ["*.tmp"], watch: true, observer });
    await folder.write("d/.socktoolignore", "sub/\n");
    await observer.until(() => engine.lookup("sub/a.txt") === undefined);
    await folder.write("d/sub/a.txt", "changed");
    await folder.write("d/c.tmp", "left out");
    await folder.write("d/d.txt", "seen");
    await observer.until(() => engine.lookup("d.txt") !== undefined);
    assertEquals([engine.lookup("sub/a.txt"), engine.lookup("c.tmp")], [undefined, undefined]);
    await Deno.remove(folder.at("d/.socktoolignore"));
    await observer.until(() => engine.lookup("sub/a.txt")?.text === "changed");
  },
});
