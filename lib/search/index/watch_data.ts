/**
 * Tells when something in the data may have changed.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { SearchError } from "../error.ts";

/** Changes that come within this time after each other are one. */
const QUIET_MS = 100;
/** While changes go on without a pause, they are told at least this often. */
const MAX_WAIT_MS = 1000;
/**
 * How long after a change the data are looked at once more: files that are made in a new folder
 * before the system watches that one too are not told.
 */
const AGAIN_MS = 1000;

/** Watches data paths until it is closed. */
export class DataWatcher implements Disposable {
  readonly #watchers: Deno.FsWatcher[] = [];
  readonly #onChange: () => void;
  readonly #ignored: ReadonlySet<string>;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #firstMs = 0;
  #isClosed = false;

  /**
   * @param data Absolute paths of files and folders that exist.
   * @param ignored Paths whose changes do not count: the index's own files.
   * @param onChange Is called some time after a change, never before the constructor returned.
   * @throws {SearchError} `watch-failed`.
   */
  constructor(data: readonly string[], ignored: readonly string[], onChange: () => void) {
    this.#onChange = onChange;
    this.#ignored = new Set(ignored.flatMap((path) => [path, realPath(path)]));
    try {
      for (const path of data) this.#watch(path);
    } catch (error) {
      this.close();
      throw new SearchError(
        "watch-failed",
        `Cannot watch ${data.join(", ")}: ${(error as Error).message}. On Linux the limit ` +
          "fs.inotify.max_user_watches may be too low; without watching, a restart takes changes in",
        { cause: error },
      );
    }
  }

  /** Ends it: `onChange` is not called any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#again);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  /** {@linkcode DataWatcher.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #watch(path: string): void {
    if (Deno.statSync(path).isDirectory) {
      this.#listen(Deno.watchFs(path, { recursive: true }), () => true);
      return;
    }
    // A file's folder is watched: an editor replaces the file by another one of the same name.
    const watcher = Deno.watchFs(dirname(path), { recursive: false });
    const real = realPath(path);
    this.#listen(watcher, (changed) => changed === path || changed === real);
  }

  async #listen(watcher: Deno.FsWatcher, concerns: (path: string) => boolean): Promise<void> {
    this.#watchers.push(watcher);
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      if (event.paths.some((path) => !this.#ignored.has(path) && concerns(path))) this.#changed();
    }
  }

  #changed(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    if (this.#quiet === undefined) this.#firstMs = now;
    else clearTimeout(this.#quiet);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#firstMs + MAX_WAIT_MS - now));
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      clearTimeout(this.#again);
      this.#again = setTimeout(this.#onChange, AGAIN_MS);
      this.#onChange();
    }, wait);
  }
}

/** A path without links in its folder's part: some systems tell changes by that one. */
function realPath(path: string): string {
  try {
    return join(Deno.realPathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
