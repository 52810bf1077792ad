import { program } from "../../cmd/program.ts";
import type { Bundle } from "../../scripts/pack/bundle.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { portableOf, type PortableOptions } from "../../scripts/portable.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool, type ToolOutput } from "../support/tools.ts";
import { writeProgram } from "../support/write_program.ts";

/** Whether this system runs portable files; says so where it does not. */
export const runsPortableFiles = Deno.build.os !== "windows";
if (!runsPortableFiles) {
  Deno.stderr.writeSync(new TextEncoder().encode("skipped on Windows: the portable file\n"));
}

/** A folder in which nothing can be written, not even by root where that is possible. */
export const READ_ONLY_FOLDER = Deno.build.os === "linux" ? "/proc" : "/";

/** Where the system's own tools are; deno is not among them. */
export const SYSTEM_PATH = "/usr/bin:/bin";

/**
 * A program that only tells its version. What unpacks it and looks after it is the same for the whole
 * program, which has files in folders, too.
 */
const VERSION_ONLY: Bundle = {
  main: "cmd/socktool.js",
  files: [
    ["cmd/socktool.js", `console.log("socktool ${program.version}");\n`],
    ["lib/search/index_worker.js", "export {};\n"],
    ["cmd/_web/served/page.html", "<!doctype html>\n"],
  ].map(([name, text]) => ({ name: name!, bytes: new TextEncoder().encode(text) })),
};

/** What {@linkcode smallPortableFile} prints: whom it runs as. */
const SMALL_PROGRAM = "#!/bin/sh\necho the program of $(id -u)\n";

/** A file that unpacks itself. */
export interface PortableFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

let linked: Promise<PortableFile> | undefined;
let small: Promise<PortableFile> | undefined;

/**
 * One with a script of 8 MiB in the runtime's place that runs the installed Deno, and a program that
 * knows `--version`: for tests that unpack it over and over.
 */
export function linkedPortableFile(): Promise<PortableFile> {
  const padding = "#".repeat(8 * 2 ** 20);
  return linked ??= smallWith(`#!/bin/sh\nexec "${Deno.execPath()}" "$@"\n${padding}`);
}

/** One with a shell script in the runtime's place, which is unpacked in no time. */
export function smallPortableFile(): Promise<PortableFile> {
  return small ??= smallWith(SMALL_PROGRAM);
}

async function smallWith(script: string): Promise<PortableFile> {
  using scratch = new Scratch();
  return await write(portableOf(VERSION_ONLY, packed(scratch.write("deno", script))));
}

/** It is not compressed: that would take most of the time. */
function packed(deno: string): PortableOptions {
  return { target: targetOf(Deno.build.target), deno, level: 0 };
}

async function write(made: Promise<Uint8Array>): Promise<PortableFile> {
  const bytes = await made;
  const scratch = new Scratch();
  addEventListener("unload", () => scratch[Symbol.dispose]());
  const path = scratch.at("socktool");
  writeProgram(path, bytes);
  // Whoever it is started as can read it.
  Deno.chmodSync(scratch.path, 0o755);
  return { path, bytes };
}

/** Starts a file with these variables and no other, in the folder that cannot be written. */
export function start(
  path: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<ToolOutput> {
  return runTool(path, args, { clearEnv: true, env, cwd: READ_ONLY_FOLDER });
}
