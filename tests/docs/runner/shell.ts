import { deadline } from "../../support/deadline.ts";

/** Stands around what the shell says for us: how the command of a number ended. */
const MARK = "\x1e";

/**
 * Reads `NUMBER FILE` for each command and runs it in the shell itself, so that `cd` and variables
 * last. Commands have an empty stdin, and stderr goes where stdout does, as on a terminal. `$?` is
 * the exit code of the command before.
 */
const DRIVER = `
exec 9<&0 </dev/null 2>&1
status=0
while IFS=' ' read -r number file <&9; do
  export DOCS_LISTENING="$DOCS_FOLDER/listening.$number"
  (exit $status)
  . "$file" 9<&-
  status=$?
  printf '${MARK}%s %s${MARK}' "$number" "$status"
done
`;

/**
 * A shell that runs commands one after the other, and all that they start. Disposing ends all of
 * these at once: they are one process group.
 */
export class Shell implements AsyncDisposable {
  /** What was printed since {@linkcode Shell.forget}. */
  printed = "";
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ended: Promise<unknown>;
  readonly #codes = new Map<number, number>();
  readonly #folder: string;
  #over = false;
  #count = 0;

  /**
   * @param cwd Where it starts.
   * @param folder A folder for its own files.
   */
  constructor(cwd: string, folder: string, env: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#child = new Deno.Command("bash", {
      args: ["--norc", "--noprofile", "-c", DRIVER],
      cwd,
      clearEnv: true,
      env: { ...env, DOCS_FOLDER: folder },
      detached: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#ended = Promise.all([this.#child.status, this.#collect()]).then(() => this.#over = true);
  }

  /** Starts a command; returns its number. */
  async start(command: string): Promise<number> {
    const number = ++this.#count;
    const file = `${this.#folder}/command.${number}`;
    await Deno.writeTextFile(file, `${command}\n`);
    await this.#stdin.write(new TextEncoder().encode(`${number} ${file}\n`));
    return number;
  }

  /** Its exit code; `undefined` while it runs. A shell that ended by itself failed. */
  exitCode(number: number): number | undefined {
    return this.#codes.get(number) ?? (this.#over ? 1 : undefined);
  }

  /** Whether a server that the command started listens. */
  listens(number: number): boolean {
    try {
      return Deno.statSync(`${this.#folder}/listening.${number}`).isFile;
    } catch {
      return false;
    }
  }

  /** Leaves out what was printed so far from {@linkcode Shell.printed}. */
  forget(): void {
    this.printed = "";
  }

  async #collect(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      rest += text;
      for (let mark; (mark = ENDED.exec(rest)) !== null;) {
        this.printed += rest.slice(0, mark.index);
        this.#codes.set(Number(mark[1]), Number(mark[2]));
        rest = rest.slice(mark.index + mark[0].length);
      }
      const begun = rest.indexOf(MARK);
      this.printed += begun < 0 ? rest : rest.slice(0, begun);
      rest = begun < 0 ? "" : rest.slice(begun);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // All of them have ended.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await deadline(this.#ended, "the end of a shell and its commands");
    await this.#stdin.close().catch(() => {});
  }
}

const ENDED = new RegExp(`${MARK}(\\d+) (\\d+)${MARK}`);
