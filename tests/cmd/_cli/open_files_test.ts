import { assert, assertEquals } from "@std/assert";
import { checkOpenFiles, openFileLimit } from "../../../cmd/_cli/mod.ts";
import { parseLimit } from "../../../cmd/_cli/open_files.ts";

Deno.test("parseLimit() reads what the shell prints", () => {
  assertEquals(parseLimit("1024"), 1024);
  assertEquals(parseLimit("unlimited"), Infinity);
  assertEquals(parseLimit("something else"), undefined);
});

Deno.test("openFileLimit() knows this process's limit where there is one", async () => {
  const limit = await openFileLimit();
  if (Deno.build.os === "windows") assertEquals(limit, undefined);
  else assert(limit !== undefined && limit >= 64);
});

Deno.test("checkOpenFiles() says which limit helps, and nothing where it suffices", async () => {
  assertEquals(
    await checkOpenFiles(5000, { limit: 1024 }),
    "5000 connections need 5032 open files, but the limit is 1024 " +
      "(raise it in this shell first: ulimit -n 5032)",
  );
  assertEquals(await checkOpenFiles(992, { limit: 1024 }), undefined);
  assertEquals(await checkOpenFiles(5000, { limit: Infinity }), undefined);
});

Deno.test("checkOpenFiles() counts what each of several threads needs", async () => {
  assertEquals(
    await checkOpenFiles(100, { threads: 4, limit: 132 }),
    "100 connections in 4 threads need 164 open files, but the limit is 132 " +
      "(raise it in this shell first: ulimit -n 164)",
  );
  assertEquals(await checkOpenFiles(100, { threads: 1, limit: 132 }), undefined);
  assertEquals(await checkOpenFiles(100, { threads: 4, limit: 164 }), undefined);
});
