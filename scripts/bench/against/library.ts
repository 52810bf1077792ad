/** Libraries, measured in processes of their own by the programs of `scripts/bench`. */
import type { MeasuredLine } from "../measure.ts";
import { readLines } from "../read_lines.ts";
import type { Benchmark, Measurement, Row, Subject } from "./benchmark.ts";
import type { Version } from "./version.ts";

/** A row that takes longer has failed. */
const LONGEST_ROW_MS = 60_000;

/** A process that has been told to end is killed after this time. */
const GRACE_MS = 5_000;

/** What a library is measured with, besides its program. */
export interface Surroundings extends AsyncDisposable {
  /** The program's arguments. */
  readonly args: readonly string[];
}

/** A benchmark whose rows a module of `scripts/bench` measures; see `measure.ts`. */
export class LibraryBenchmark implements Benchmark {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly #surround: () => Promise<Surroundings>;
  /** Which of a version's programs measures a row, by the versions' roots. */
  readonly #programs = new Map<string, Map<string, number>>();

  /**
   * @param name That of the module, without `.ts`.
   * @param surround Starts the servers that the library talks to, the same for every version.
   */
  constructor(
    name: string,
    rows: readonly Row[],
    surround: () => Promise<Surroundings> = () =>
      Promise.resolve({ args: [], async [Symbol.asyncDispose]() {} }),
  ) {
    this.name = name;
    this.rows = rows;
    this.#surround = surround;
  }

  async start(version: Version): Promise<Subject> {
    let known = this.#programs.get(version.root);
    if (known === undefined) this.#programs.set(version.root, known = new Map());
    return new LibrarySubject(this.name, version, known, await this.#surround());
  }
}

class LibrarySubject implements Subject {
  readonly #name: string;
  readonly #version: Version;
  readonly #known: Map<string, number>;
  readonly #surroundings: Surroundings;
  readonly #processes = new Map<number, Promise<LibraryProcess>>();

  constructor(
    name: string,
    version: Version,
    known: Map<string, number>,
    surroundings: Surroundings,
  ) {
    this.#name = name;
    this.#version = version;
    this.#known = known;
    this.#surroundings = surroundings;
  }

  async measure(row: string): Promise<Measurement> {
    const known = this.#known.get(row);
    if (known !== undefined) return await this.#measureWith(known, row);
    let reason: unknown;
    for (const index of this.#version.programs.keys()) {
      try {
        const measurement = await this.#measureWith(index, row);
        this.#known.set(row, index);
        return measurement;
      } catch (error) {
        reason ??= error;
      }
    }
    const text = reason instanceof Error ? reason.message : String(reason);
    throw new Error(text.replaceAll(`file://${this.#version.root}/`, ""), { cause: reason });
  }

  async #measureWith(index: number, row: string): Promise<Measurement> {
    let starting = this.#processes.get(index);
    if (starting === undefined) {
      const { root, programs } = this.#version;
      starting = LibraryProcess.start(root, programs[index]!, this.#name, this.#surroundings.args);
      this.#processes.set(index, starting);
    }
    return { value: await (await starting).measure(row), byOwnProgram: index > 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const starting of this.#processes.values()) {
      await (await starting.catch(() => undefined))?.[Symbol.asyncDispose]();
    }
    await this.#surroundings[Symbol.asyncDispose]();
  }
}

/** One process of `measure.ts`. */
export class LibraryProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  readonly #saying: Promise<string>;
  #rows: readonly string[] = [];

  /** What it measures. */
  get rows(): readonly string[] {
    return this.#rows;
  }

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
    this.#lines = readLines(child.stdout);
    this.#saying = lastOf(child.stderr);
  }

  /** @throws {Error} if the program cannot be loaded or does not start. */
  static async start(
    root: string,
    folder: string,
    name: string,
    args: readonly string[],
  ): Promise<LibraryProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", "--v8-flags=--expose-gc", "--config", `${root}/deno.json`]
        .concat(`${folder}/measure.ts`, name, args),
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const started = new LibraryProcess(child);
    const { rows } = JSON.parse(await started.#line()) as { rows: readonly string[] };
    started.#rows = rows;
    return started;
  }

  /** Measures a row. @throws {Error} if there is none, or it cannot be measured. */
  async measure(row: string): Promise<number> {
    if (!this.#rows.includes(row)) throw new Error("its program has no such row");
    await this.#stdin.write(new TextEncoder().encode(`${row}\n`));
    const line = JSON.parse(await this.#line()) as MeasuredLine;
    if ("error" in line) throw new Error(line.error);
    return line.value;
  }

  /** What it prints next. Kills it if that takes too long. */
  async #line(): Promise<string> {
    const late = setTimeout(() => this.#kill(), LONGEST_ROW_MS);
    try {
      const { done, value } = await this.#lines.next();
      if (!done) return value;
    } finally {
      clearTimeout(late);
    }
    throw new Error(reasonIn(await this.#saying));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The end of its stdin ends it.
    await this.#stdin.close().catch(() => {});
    const late = setTimeout(() => this.#kill(), GRACE_MS);
    await this.#child.status;
    clearTimeout(late);
    await this.#lines.return(undefined);
    await this.#saying;
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

/** The end of what a stream holds. */
async function lastOf(bytes: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    said = (said + text).slice(-4_000);
  }
  return said;
}

/** The line of an error message that says most. */
function reasonIn(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const reason = lines.find((line) => line.startsWith("error:")) ?? lines[0];
  return reason?.replace(/^error: (Uncaught )?(\(in promise\) )?/, "") ?? "its program ended";
}
