/** The program as one file, as `deno task install` makes it: every command of it runs. */
import { assert, assertEquals } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { EXERCISES } from "../../scripts/smoke/exercises.ts";
import { PackedProgram } from "../../scripts/smoke/packed_program.ts";
import { deadline } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";
import { assertInstalled, assertStarts, install, programIn } from "./install_clone.ts";
import { READ_ONLY_FOLDER, runsPortableFiles, start, SYSTEM_PATH } from "./portable_file.ts";

const names = program.commands.map(({ name }) => name);

Deno.test("there is an exercise for every command of the program", () => {
  const exercised = EXERCISES.flatMap(({ commands }) => commands);
  assertEquals(names.filter((name) => !exercised.includes(name)), []);
});

Deno.test("install puts a program that runs into ~/.local/bin", async () => {
  if (!runsPortableFiles) return;
  await assertStarts((await installed()).home);
});

for (const { commands, run } of EXERCISES) {
  const missing = commands.filter((name) => !names.includes(name));
  if (missing.length > 0) continue;
  Deno.test(`the portable file runs ${commands.join(", ")}, with no Deno on PATH`, async () => {
    if (!runsPortableFiles) return;
    using scratch = new Scratch();
    const { path, cache } = await installed();
    const packed = new PackedProgram(path, {
      cwd: READ_ONLY_FOLDER,
      env: { PATH: SYSTEM_PATH, HOME: "/no/such/home", SOCKTOOL_CACHE: cache },
    });
    const folder = scratch.at("data");
    Deno.mkdirSync(folder);
    await run(packed, folder);
  });
}

Deno.test("the portable file passes on arguments as they are, and the exit code", async () => {
  if (!runsPortableFiles) return;
  const { path, cache } = await installed();
  const { code, err } = await start(path, ["two words", "'"], { SOCKTOOL_CACHE: cache });
  assertEquals(code, 2);
  assert(err.startsWith("error: unknown command two words"), err);
});

Deno.test("the portable file becomes the program: it is the process that was started", async () => {
  if (!runsPortableFiles) return;
  const { path, cache } = await installed();
  const child = new Deno.Command(path, {
    args: ["app-server", "127.0.0.1:0"],
    clearEnv: true,
    env: { SOCKTOOL_CACHE: cache },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const lines = child.stderr.pipeThrough(new TextDecoderStream());
    let seen = "";
    const told = (async () => {
      for await (const text of lines) {
        seen += text;
        if (!seen.includes("listening on")) continue;
        if (!seen.includes("draining")) child.kill("SIGTERM");
      }
    })();
    const { code } = await deadline(child.status, "the server's end");
    await told;
    assertEquals(code, 0);
    assert(seen.includes("draining"), seen);
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  }
});

Deno.test("the packed program checks the limit of open files before it opens sockets", async () => {
  if (!runsPortableFiles || !names.includes("multiconn-client")) return;
  const { path, cache } = await installed();
  const line = 'ulimit -n 100; exec "$0" multiconn-client 127.0.0.1:1 500';
  const { code, err } = await runTool("sh", ["-c", line, path], {
    clearEnv: true,
    env: { SOCKTOOL_CACHE: cache },
  });
  assertEquals(code, 1);
  assert(err.includes("500 connections need 532 open files, but the limit is 100"), err);
});

Deno.test("the program finds none of the variables that the runtime was given", async () => {
  if (!runsPortableFiles || !isInstalled("env", "variables of the portable file")) return;
  using scratch = new Scratch();
  const script = scratch.write(
    "print.ts",
    "await new Deno.Command('env', { stdout: 'inherit' }).output();",
  );
  const preload = new URL("../../scripts/portable_preload.js", import.meta.url).pathname;
  const { out } = await runTool(Deno.execPath(), ["run", "-A", "--preload", preload, script], {
    env: { DENO_NO_UPDATE_CHECK: "1", KEPT: "1", SOCKTOOL_PORTABLE: " DENO_NO_UPDATE_CHECK" },
  });
  const given = out.split("\n").map((line) => line.split("=", 1)[0]);
  assert(given.includes("KEPT"), out);
  assert(!given.includes("DENO_NO_UPDATE_CHECK") && !given.includes("SOCKTOOL_PORTABLE"), out);
});

interface Installed {
  readonly home: string;
  readonly path: string;
  /** Where the file has unpacked itself: installing has started it. */
  readonly cache: string;
}

let installing: Promise<Installed> | undefined;

/** The program, installed once for the tests here. */
function installed(): Promise<Installed> {
  return installing ??= (async () => {
    const home = new Scratch();
    addEventListener("unload", () => home[Symbol.dispose]());
    assertInstalled(home.path, await install(home.path));
    return { path: programIn(home.path), cache: home.at(".cache/socktool"), home: home.path };
  })();
}
