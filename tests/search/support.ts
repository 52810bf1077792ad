/** What the tests of the search role share. */
import "../support/recycled_threads.ts";
import { SearchError, type SearchErrorCode, type SearchObserver } from "../../lib/search/mod.ts";
import type { IndexSummary } from "../../lib/search/mod.ts";
import { assertEquals, assertInstanceOf } from "@std/assert";

/** A temporary folder that goes with the test. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir({ prefix: "socktool-test-" }));
    for (const [name, content] of Object.entries(files)) await folder.write(name, content);
    return folder;
  }

  /** The absolute path of a name in the folder. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = this.at(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Keeps all events of an engine, and lets a test wait for them. */
export class Recorder implements SearchObserver {
  readonly broken: string[] = [];
  readonly duplicates: string[] = [];
  readonly skippedFiles: string[] = [];
  readonly notes: string[] = [];
  readonly paths: string[] = [];
  readonly watched: (string | undefined)[] = [];
  readonly summaries: IndexSummary[] = [];
  readonly failures: SearchError[] = [];
  readonly replaced: string[] = [];
  readonly progressed: number[] = [];
  changes = 0;
  #wake = Promise.withResolvers<void>();

  progress(event: { doneBytes: number; totalBytes: number }): void {
    this.progressed.push(event.doneBytes / event.totalBytes);
  }
  brokenRecord(
    event: { path: string; line: number; reason: string; option?: string | undefined },
  ): void {
    const option = event.option === undefined ? "" : ` (${event.option})`;
    this.broken.push(`${nameOf(event.path)}:${event.line}: ${event.reason}${option}`);
  }
  duplicateKey(event: { key: string; path: string; line: number }): void {
    this.duplicates.push(`${event.key} ${nameOf(event.path)}:${event.line}`);
  }
  skippedFile(event: { path: string; reason: string }): void {
    this.skippedFiles.push(`${nameOf(event.path)}: ${event.reason}`);
  }
  readingNote(
    event: { path: string; line?: number | undefined; note: string; option?: string | undefined },
  ): void {
    const line = event.line === undefined ? "" : `:${event.line}`;
    const option = event.option === undefined ? "" : ` (${event.option})`;
    this.notes.push(`${nameOf(event.path)}${line}: ${event.note}${option}`);
  }
  dataPath(event: { path: string; state: string }): void {
    this.paths.push(`${nameOf(event.path)} ${event.state}`);
    this.#tell();
  }
  watching(event: { problem: string | undefined }): void {
    this.watched.push(event.problem);
    this.#tell();
  }
  indexed(event: IndexSummary): void {
    this.summaries.push(event);
    this.#tell();
  }
  changed(): void {
    this.changes++;
    this.#tell();
  }
  failed(error: SearchError): void {
    this.failures.push(error);
    this.#tell();
  }
  workerReplaced(event: { role: string }): void {
    this.replaced.push(event.role);
    this.#tell();
  }

  /** The counts of the last pass, those that are not zero. */
  get lastCounts(): Record<string, number> {
    const { durationMs: _, ...counts } = this.summaries.at(-1)!;
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
  }

  /** Waits until a condition holds, looking again after each event. */
  async until(holds: () => boolean, withinMs = 20_000): Promise<void> {
    const deadline = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => deadline.reject(new Error(`not so within ${withinMs} ms: ${holds}`)),
      withinMs,
    );
    try {
      while (!holds()) await Promise.race([this.#wake.promise, deadline.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** Asserts that a promise is rejected by a {@linkcode SearchError} with a code; returns the error. */
export async function assertCode(
  promise: PromiseLike<unknown>,
  code: SearchErrorCode,
): Promise<SearchError> {
  const outcome: unknown = await promise.then(
    () => new Error(`it did not fail with ${code}`),
    (error) => error,
  );
  assertInstanceOf(outcome, SearchError, `not a SearchError but ${outcome}`);
  assertEquals(outcome.code, code);
  return outcome;
}

/** JSON Lines of `count` records, each with its own words. */
export function records(count: number, from = 0): string {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    return JSON.stringify({ key: `k${n}`, title: `Title ${n}`, text: `common word${n} text` });
  }).join("\n") + "\n";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
