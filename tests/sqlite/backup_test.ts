import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { backUp, openReader, openWriter, SqliteError, transaction } from "../../lib/sqlite/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { count, NUMBERS } from "./support.ts";

Deno.test("backUp() copies what is committed, and nothing of what is not", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  using writer = openWriter(path, { schema: NUMBERS });
  using reader = openReader(path);
  for (let i = 0; i < 100; i++) {
    transaction(writer, () => writer.exec(`INSERT INTO number VALUES (${i})`));
  }
  writer.exec("BEGIN IMMEDIATE; INSERT INTO number VALUES (100)");
  const size = await backUp(reader, path, scratch.at("b.db"));
  writer.exec("COMMIT");
  assertEquals(Deno.statSync(scratch.at("b.db")).size, size);
  using copy = openReader(scratch.at("b.db"));
  assertEquals([count(copy), count(writer)], [100, 101]);
});

Deno.test("backUp() takes no name that is taken, says what is wrong, and leaves nothing behind", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  openWriter(path, { schema: NUMBERS }).close();
  using reader = openReader(path);
  scratch.write("taken", "text");
  Deno.mkdirSync(scratch.at("folder"));
  const problems: Record<string, string> = {
    [scratch.at("taken")]: "exists already; name a new file",
    [scratch.at("folder")]: "exists already; name a new file",
    [path]: "exists already; name a new file",
    [scratch.at("none/b.db")]: "its folder does not exist, or may not be written",
    [scratch.at("taken/b.db")]: "cannot be",
  };
  for (const [target, problem] of Object.entries(problems)) {
    const error = await assertRejects(() => backUp(reader, path, target), SqliteError);
    assertStringIncludes(error.message, `Cannot back up the database ${path}: ${target} `);
    assertStringIncludes(error.message, problem);
  }
  // As on a full disk, where files beside the copy are left.
  const finish = (copy: string) => {
    for (const end of ["-journal", "-wal", "-shm"]) Deno.writeTextFileSync(copy + end, "left");
    throw new Error("database or disk is full");
  };
  const target = scratch.at("b.db");
  const error = await assertRejects(() => backUp(reader, path, target, { finish }), SqliteError);
  assertEquals(error.code, "full");
  assertEquals(Deno.readTextFileSync(scratch.at("taken")), "text");
  const names = [...Deno.readDirSync(scratch.path)].map(({ name }) => name);
  assertEquals(names.filter((name) => name.includes("part")), []);
});

Deno.test("backUp() copies one moment in several steps while somebody writes, or ends between two", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  using writer = openWriter(path, { schema: NUMBERS, synchronous: "off" });
  writer.exec("CREATE TABLE large AS SELECT zeroblob(10000000) AS bytes");
  using reader = openReader(path);
  let asked = 0;
  const isUnwanted = () => {
    transaction(writer, () => writer.exec("INSERT INTO number VALUES (1)"));
    return ++asked > 3;
  };
  const ended = () => backUp(reader, path, scratch.at("b.db"), { isUnwanted });
  const error = await assertRejects(ended, SqliteError, "not wanted any more");
  assertEquals([error.code, asked], ["failed", 4]);
  asked = -100;
  await backUp(reader, path, scratch.at("c.db"), { isUnwanted });
  assert(asked > -100 + 3, `asked ${asked + 100} times`);
  using copy = openReader(scratch.at("c.db"));
  assertEquals(count(copy), 5, "those that were there when it began");
  assertEquals([...Deno.readDirSync(scratch.path)].filter(({ name }) => /^b|part/.test(name)), []);
});
