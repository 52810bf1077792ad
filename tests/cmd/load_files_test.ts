import { assertEquals, assertStringIncludes } from "@std/assert";
import { runMulti } from "../../cmd/_cli/multi.ts";
import { program } from "../../cmd/program.ts";
import { Scratch } from "../support/scratch.ts";
import { FakeHost } from "./_cli/fake_host.ts";

/** Runs a load that nobody answers, with these flags. */
async function load(...flags: readonly string[]) {
  const host = new FakeHost(["multiconn-client", ":1", "1", "--count", "1", ...flags]);
  return { code: await runMulti(program, host), err: host.errText };
}

Deno.test("two results of a load cannot be written to one file, however it is written", async () => {
  using scratch = new Scratch();
  const path = scratch.at("x");
  const names = ["--save", "--report", "--hdr"];
  for (const first of names) {
    for (const second of names.filter((name) => name !== first)) {
      for (
        const other of [path, `${scratch.path}/./x`]
      ) {
        const { code, err } = await load(first, path, second, other);
        assertEquals(code, 2, err);
        assertStringIncludes(err, "one overwrites the other");
        assertStringIncludes(err, first);
        assertStringIncludes(err, second);
      }
    }
  }
  assertEquals([...Deno.readDirSync(scratch.path)], []);
});

Deno.test("a link to a result's file is the same file, and a device may be given twice", async () => {
  if (Deno.build.os === "windows") return;
  using scratch = new Scratch();
  const path = scratch.write("x", "");
  const link = scratch.at("link");
  Deno.symlinkSync(path, link);
  assertEquals((await load("--save", path, "--report", link)).code, 2);
  assertEquals((await load("--save", "/dev/null", "--report", "/dev/null")).code, 1);
});
