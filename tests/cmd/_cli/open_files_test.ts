import { assert, assertEquals } from "@std/assert";
import { checkOpenFiles, handshakesWithin, openFileLimit } from "../../../cmd/_cli/open_files.ts";
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

Deno.test("handshakesWithin() leaves half of the files, and goes by the connections too", () => {
  for (
    const [maxConnections, limit, expected] of [
      [20_000, 1_048_576, 1_000],
      [20_000, Infinity, 1_000],
      [20_000, undefined, 1_000],
      [0, undefined, 1_000],
      [100, undefined, 100],
      [20_000, 256, 112],
      [20_000, 1_024, 496],
      [20_000, 40, 16],
      [1, 256, 16],
    ] as const
  ) {
    assertEquals(
      handshakesWithin(1_000, maxConnections, limit),
      expected,
      `${maxConnections} ${limit}`,
    );
  }
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
