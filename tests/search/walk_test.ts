/** In which order files are found, and through what they pass on their way out. */
import { assertEquals, assertLess } from "@std/assert";
import { findRoot } from "../../lib/search/data/data_root.ts";
import { walk } from "../../lib/search/data/walk.ts";
import { Folder } from "./support.ts";

const OPTIONS = { follow: false, exclude: [] };

async function found(path: string): Promise<string[]> {
  const root = await findRoot(path);
  const paths: string[] = [];
  for await (const { kind, path } of walk(root, OPTIONS)) {
    if (kind === "file") paths.push(path.slice(root.path.length + 1));
  }
  return paths;
}

Deno.test("files are found in the order of their names, those of a folder at its place", async () => {
  const paths = ["a.txt", "b/a/z.txt", "b/a.txt", "b/c.txt", "c.txt", "d/e/f/a.txt", "d/e/g.txt"];
  await using folder = await Folder.make(Object.fromEntries(paths.map((path) => [path, "x"])));
  await Deno.mkdir(folder.at("d/empty"));
  assertEquals(await found(folder.path), [
    "a.txt",
    "b/a/z.txt",
    "b/a.txt",
    "b/c.txt",
    "c.txt",
    "d/e/f/a.txt",
    "d/e/g.txt",
  ]);
});

Deno.test("what is found deep in folders passes through no more steps than other files", async () => {
  const depth = 60;
  const deep = "d/".repeat(depth);
  const names = ["1", "2", "3", "4", "5"];
  await using folder = await Folder.make(
    Object.fromEntries(names.map((name) => [deep + name, "x"])),
  );
  // Each generator between the walk and a file would be asked for it once.
  const prototype: AsyncGenerator = Object.getPrototypeOf(async function* () {}.prototype);
  const { next } = prototype;
  let steps = 0;
  prototype.next = function (...value) {
    steps++;
    return next.apply(this, value);
  };
  try {
    assertEquals((await found(folder.path)).length, names.length);
  } finally {
    prototype.next = next;
  }
  // Folders are found too, and each is listed by a generator of the runtime.
  assertLess(steps, 6 * (depth + names.length));
});
