/** A new file is there once it is whole, and takes the place of no other. */
import { assertEquals, assertRejects } from "@std/assert";
import { writeNew } from "../../lib/sqlite/new_file.ts";
import { Scratch } from "../support/scratch.ts";

const { AlreadyExists, NotSupported } = Deno.errors;

/** A file system that has no links. */
function withoutLinks(): Disposable {
  const { link } = Deno;
  Deno.link = () => Promise.reject(new NotSupported("no links"));
  return { [Symbol.dispose]: () => void (Deno.link = link) };
}

for (const hasLinks of [true, false]) {
  const where = hasLinks ? "" : ", where the file system has no links";
  Deno.test(`writeNew() makes a file of what is whole, and leaves nothing else${where}`, async () => {
    using folder = new Scratch();
    using _system = hasLinks ? undefined : withoutLinks();
    const path = folder.at("copy");
    const write = (partial: string) => Deno.writeTextFile(partial, "whole").then(() => 5);
    const list = () => [...Deno.readDirSync(folder.path)].map(({ name }) => name);

    const failing = async (partial: string) => {
      await write(partial);
      throw new Error("disk full");
    };
    await assertRejects(() => writeNew(path, failing), Error, "disk full");
    assertEquals(list(), []);

    assertEquals(await writeNew(path, write), 5);
    assertEquals([list(), Deno.readTextFileSync(path)], [["copy"], "whole"]);

    await assertRejects(() => writeNew(path, write), AlreadyExists);
    Deno.removeSync(path);
    const late = async (partial: string) => {
      await write(partial);
      Deno.writeTextFileSync(path, "another's");
    };
    await assertRejects(() => writeNew(path, late), AlreadyExists);
    assertEquals([list(), Deno.readTextFileSync(path)], [["copy"], "another's"]);
  });
}
