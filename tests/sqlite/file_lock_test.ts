import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileLock, SqliteError } from "../../lib/sqlite/mod.ts";
import { deadline } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";

async function refusal(path: string): Promise<SqliteError> {
  return await assertRejects(() => FileLock.take(path), SqliteError);
}

Deno.test("a lock is had once, given back, and leaves no file", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  for (let i = 0; i < 3; i++) {
    await using _lock = await FileLock.take(path);
    const error = await refusal(path);
    assertEquals([error.code, error.path, error.action], ["locked", path, "open"]);
    await using _other = await FileLock.take(scratch.at("b.db"));
  }
  assertEquals([...Deno.readDirSync(scratch.path)], []);
});

Deno.test("of many who ask for a lock at one time, one gets it", async () => {
  using scratch = new Scratch();
  const path = scratch.at("a.db");
  for (let round = 0; round < 5; round++) {
    const asked = await Promise.allSettled(Array.from({ length: 20 }, () => FileLock.take(path)));
    const had = asked.filter((each) => each.status === "fulfilled");
    assertEquals(had.length, 1);
    await had[0]!.value[Symbol.asyncDispose]();
  }
});

Deno.test({
  name: "a process that is killed gives its lock back",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using scratch = new Scratch();
    const path = scratch.at("a.db");
    const program = new URL("./lock_until_killed.ts", import.meta.url).href;
    const args = ["run", "-A", "--quiet", program, path];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await deadline(reader.read(), "the lock is taken");
    assertEquals((await refusal(path)).code, "locked");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    // The file that it was going to use is still there, and nobody's.
    assertEquals([...Deno.readDirSync(scratch.path)].map(({ name }) => name), ["a.db"]);
    await using _lock = await FileLock.take(path);
  },
});

Deno.test("a place where no lock can be had is told", async () => {
  using scratch = new Scratch();
  const missing = await refusal(scratch.at("nowhere/a.db"));
  assertEquals([missing.code, missing.action], ["failed", "open"]);
  assertStringIncludes(missing.message, "its folder does not exist");
  Deno.mkdirSync(scratch.at("a.db"));
  assertEquals((await refusal(scratch.at("a.db"))).code, "failed");
});

Deno.test({
  name: "a file is locked by whatever path or link it is reached",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using scratch = new Scratch();
    const path = scratch.write("a.db", "content");
    Deno.mkdirSync(scratch.at("sub"));
    Deno.symlinkSync(path, scratch.at("sub/link.db"));
    Deno.symlinkSync(scratch.path, scratch.at("folder"));
    Deno.linkSync(path, scratch.at("hard.db"));
    const others = ["sub/link.db", "folder/a.db", "sub/../a.db", "hard.db"];
    {
      await using _lock = await FileLock.take(path);
      for (const other of others) assertEquals((await refusal(scratch.at(other))).code, "locked");
    }
    for (const other of others) {
      await using _lock = await FileLock.take(scratch.at(other));
      assertEquals((await refusal(path)).code, "locked");
    }
    assertEquals(Deno.readTextFileSync(path), "content");
  },
});

Deno.test({
  name: "another process's lock is seen through a link",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    using scratch = new Scratch();
    Deno.symlinkSync(scratch.write("a.db", "content"), scratch.at("link.db"));
    const program = new URL("./lock_until_killed.ts", import.meta.url).href;
    const args = ["run", "-A", "--quiet", program, scratch.at("a.db")];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await deadline(reader.read(), "the lock is taken");
    assertEquals((await refusal(scratch.at("link.db"))).code, "locked");
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
  },
});
