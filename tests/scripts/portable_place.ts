/** Folders in which somebody plants what the portable file must not run. */
import { assertEquals } from "@std/assert";
import { Scratch } from "../support/scratch.ts";
import { runTool, type ToolOutput } from "../support/tools.ts";
import { writeProgram } from "../support/write_program.ts";
import { runsPortableFiles, smallPortableFile } from "./portable_file.ts";

/** Whether the tests can make files of several owners. */
export const isRoot = runsPortableFiles && Deno.uid() === 0;
/** Somebody who is not root. */
export const NOBODY = 65_534;
/** Who plants things. */
export const OTHER = 65_533;
/** What they plant. */
export const PLANTED = "#!/bin/sh\necho planted\n";

/** Folders of one test, and what happens in them. */
export class Place {
  /** Whom the portable file is started as. */
  readonly victim: number;
  readonly #scratch: Scratch;
  readonly #path: string;
  /** A folder with all that the portable file unpacks. */
  readonly #whole: string;

  private constructor(victim: number, scratch: Scratch, path: string, whole: string) {
    this.victim = victim;
    this.#scratch = scratch;
    this.#path = path;
    this.#whole = whole;
  }

  static async in(scratch: Scratch, victim: number): Promise<Place> {
    Deno.chmodSync(scratch.path, 0o755);
    const { path } = await smallPortableFile();
    return new Place(victim, scratch, path, await (unpacked ??= unpack(path)));
  }

  at(name: string): string {
    return this.#scratch.at(name);
  }

  /** What the portable file calls the folder with what it unpacks. */
  get key(): string {
    return this.#whole.slice(this.#whole.lastIndexOf("/") + 1);
  }

  start(env: Record<string, string>): Promise<ToolOutput> {
    const uid = isRoot ? this.victim : undefined;
    return runTool(this.#path, [], { clearEnv: true, env, cwd: "/", uid });
  }

  /** Makes a folder. */
  folder(name: string, mode = 0o700, owner = this.victim): string {
    const path = this.at(name);
    Deno.mkdirSync(path);
    Deno.chmodSync(path, mode);
    give(path, owner);
    return path;
  }

  /** Makes a link. */
  link(name: string, to: string, owner = OTHER): string {
    Deno.symlinkSync(to, this.at(name));
    give(this.at(name), owner);
    return this.at(name);
  }

  /** Puts everything into a folder, with a program of somebody else's. */
  plant(parent: string, owner = OTHER, mode = 0o700): string {
    const folder = `${parent}/${this.key}`;
    copyTree(this.#whole, folder);
    writeProgram(`${folder}/deno`, PLANTED);
    giveTree(folder, owner);
    Deno.chmodSync(folder, mode);
    return folder;
  }
}

let unpacked: Promise<string> | undefined;

/** The folder into which a portable file unpacks itself: once in a run of the tests. */
async function unpack(path: string): Promise<string> {
  const scratch = new Scratch();
  addEventListener("unload", () => scratch[Symbol.dispose]());
  const { out } = await runTool(path, [], {
    clearEnv: true,
    env: { SOCKTOOL_CACHE: scratch.path },
  });
  assertEquals(out, `the program of ${Deno.uid()}\n`);
  return scratch.at(namesIn(scratch.path)[0]!);
}

/** Makes somebody the owner, where the tests can; of a link itself. */
export function give(path: string, owner: number): void {
  if (isRoot) new Deno.Command("chown", { args: ["-h", `${owner}:${owner}`, path] }).outputSync();
}

/** Who owns it; `undefined` if it is gone. */
export function ownerOf(path: string): number | null | undefined {
  try {
    return Deno.lstatSync(path).uid;
  } catch {
    return undefined;
  }
}

/** The same for all that is in a folder. */
export function giveTree(path: string, owner: number): void {
  if (isRoot) new Deno.Command("chown", { args: ["-Rh", `${owner}:${owner}`, path] }).outputSync();
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { mode: 0o700 });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyTree(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}

/** The names in a folder; none if there is no such folder. */
export function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return [];
  }
}
