import { portable } from "../../scripts/portable.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
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

/** What {@linkcode smallPortableFile} prints: whom it runs as. */
const SMALL_PROGRAM = "#!/bin/sh\necho the program of $(id -u)\n";

/** A file that unpacks itself. */
export interface PortableFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

let whole: Promise<PortableFile> | undefined;
let linked: Promise<PortableFile> | undefined;
let small: Promise<PortableFile> | undefined;

/** The portable file, made once in a run of the tests. */
export function portableFile(): Promise<PortableFile> {
  return whole ??= make(Deno.execPath());
}

/**
 * The same with a script of 8 MiB in the runtime's place that runs the installed Deno: for tests that
 * unpack it over and over.
 */
export function linkedPortableFile(): Promise<PortableFile> {
  const padding = "#".repeat(8 * 2 ** 20);
  return linked ??= makeWith(`#!/bin/sh\nexec "${Deno.execPath()}" "$@"\n${padding}`);
}

/** The same with a shell script in the runtime's place, which is unpacked in no time. */
export function smallPortableFile(): Promise<PortableFile> {
  return small ??= makeWith(SMALL_PROGRAM);
}

async function makeWith(script: string): Promise<PortableFile> {
  using scratch = new Scratch();
  return await make(scratch.write("deno", script));
}

/** It is not compressed: that would take most of the time. */
async function make(deno: string): Promise<PortableFile> {
  const scratch = new Scratch();
  addEventListener("unload", () => scratch[Symbol.dispose]());
  const bytes = await portable({ target: targetOf(Deno.build.target), deno, level: 0 });
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
