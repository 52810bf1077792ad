import { Scratch } from "../../support/scratch.ts";
import { ROOT } from "../../support/programs.ts";
import { writeProgram } from "../../support/write_program.ts";

/** What is copied, because blocks may have servers watch or index it. All else is linked. */
const COPIED = "docs";

/** A reader's machine: a clone to stand in, and commands of this checkout on the PATH. */
export class Sandbox implements Disposable {
  /** The clone. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #scratch = new Scratch();
  #folders = 0;

  /** @param ports What {@linkcode PortMap.toString} gives. */
  constructor(ports: string) {
    this.cwd = this.#scratch.at("clone");
    Deno.mkdirSync(this.cwd);
    for (const { name } of Deno.readDirSync(ROOT)) {
      if (name === COPIED) copyFolder(`${ROOT}${name}`, `${this.cwd}/${name}`);
      else if (!name.startsWith(".")) Deno.symlinkSync(`${ROOT}${name}`, `${this.cwd}/${name}`);
    }
    const bin = this.#scratch.at("bin");
    Deno.mkdirSync(bin);
    for (const [name, script] of Object.entries(COMMANDS)) {
      writeProgram(`${bin}/${name}`, `#!/bin/sh\n${script}`);
    }
    const home = this.#scratch.at("home");
    Deno.mkdirSync(home);
    // A block that relies on such a variable sets it.
    const own = Object.entries(Deno.env.toObject())
      .filter(([name]) => !name.startsWith("SOCKTOOL_"));
    this.env = {
      ...Object.fromEntries(own),
      NO_COLOR: "1",
      PATH: `${bin}:${Deno.env.get("PATH")}`,
      HOME: home,
      DENO_DIR: denoDir(),
      DOCS_PORTS: ports,
    };
  }

  /** A new folder outside the clone. */
  folder(): string {
    const path = this.#scratch.at(`folder${++this.#folders}`);
    Deno.mkdirSync(path);
    return path;
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const DENO = quoted(Deno.execPath());

/** The version that the pages have `npx` run: the one that CI runs. */
const PINNED = /deno@([\d.]+)/.exec(Deno.readTextFileSync(`${ROOT}.ci/run`))![1]!;

const COMMANDS: Readonly<Record<string, string>> = {
  socktool: `exec ${DENO} run -A ${quoted(`${ROOT}tests/docs/runner/socktool.ts`)} "$@"\n`,
  // A command's own file is the program, too.
  deno: `case "$1 $2 $3" in
"run -A cmd/socktool.ts") shift 3; exec socktool "$@" ;;
"run -A cmd/"*.ts) name=$(basename "$3" .ts | tr _ -); shift 3; exec socktool "$name" "$@" ;;
*) exec ${DENO} "$@" ;;
esac
`,
  // Nothing is fetched: what it would run is here.
  npx: `case "$1 $2" in
"-y deno@${PINNED}") shift 2; exec deno "$@" ;;
*) echo "npx: not 'npx -y deno@${PINNED} …': $*" >&2; exit 1 ;;
esac
`,
};

let knownDenoDir: string | undefined;

/** Deno's cache, which is under HOME unless a variable says otherwise. */
function denoDir(): string {
  return knownDenoDir ??= (() => {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
    return (JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string }).denoDir;
  })();
}

function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
