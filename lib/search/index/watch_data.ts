/**
 * Tells when something in the data may have changed.
 *
 * @module
 */
import { dirname } from "node:path";
import { findRoot } from "../data/data_root.ts";
import { walk } from "../data/walk.ts";
import { SearchError } from "../error.ts";

/** A change is reported when no other followed for this long. */
const QUIET_MS = 100;
/** While changes follow each other without a pause, they are reported this often. */
const MAX_WAIT_MS = 1000;
/**
 * How long after a change it is reported once more. A file that is made in a new folder before the
 * folder is watched causes no event; this finds it.
 */
const AGAIN_MS = 1000;
/** How often to list the folders again because one was deleted before it could be watched. */
const MAX_ATTEMPTS = 5;

/** On Linux Deno's recursive watching follows links, wherever they lead. */
const WATCHES_EACH_FOLDER = Deno.build.os === "linux";
/**
 * Watched too, because Deno drops an event whose path leads out of the watched folders, such as that
 * of a new link. No path leads out of the root. Events of the root's own files are ignored.
 */
const ROOT = "/";

/** What a {@linkcode DataWatcher} is made with. */
export interface DataWatcherOptions {
  /** Absolute paths of files and folders. */
  readonly data: readonly string[];
  /** Whether links in the data are followed. */
  readonly follow: boolean;
  /** The index's own files, as paths without links: their changes are ignored. */
  readonly ownFiles: readonly string[];
}

/** Watches data paths until it is closed. */
export class DataWatcher implements Disposable {
  readonly #options: DataWatcherOptions;
  readonly #onChange: () => void;
  #watchers: readonly Deno.FsWatcher[] = [];
  /** What is watched: folders, and the files that are data paths. */
  #folders: ReadonlySet<string> = new Set();
  #files: ReadonlySet<string> = new Set();
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #firstMs = 0;
  #isClosed = false;

  /** @param onChange Is called some time after a change, until the watcher is closed. */
  constructor(options: DataWatcherOptions, onChange: () => void) {
    this.#options = options;
    this.#onChange = onChange;
  }

  /**
   * Watches the folders that the data have now. Call it before each time that the data are read, so
   * that no change is missed between the two.
   *
   * @throws {SearchError} `data-unreadable`, `watch-failed`. What was watched before still is.
   */
  async update(): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const { folders, files } = await this.#find();
      if (this.#isClosed || (isSame(this.#folders, folders) && isSame(this.#files, files))) return;
      try {
        this.#watch(folders, files);
        return;
      } catch (error) {
        // A folder was deleted after it was found.
        if (error instanceof Deno.errors.NotFound && attempt < MAX_ATTEMPTS) continue;
        throw new SearchError(
          "watch-failed",
          `Cannot watch ${this.#options.data.join(", ")}: ${(error as Error).message}. On Linux ` +
            "the limit fs.inotify.max_user_watches may be too low; without watching, a restart " +
            "takes changes in",
          { cause: error },
        );
      }
    }
  }

  /** Ends watching: `onChange` is not called any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#again);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /** {@linkcode DataWatcher.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #find() {
    const folders = new Set<string>();
    const files = new Set<string>();
    for (const path of this.#options.data) {
      const root = await findRoot(path);
      if (root.isFile) files.add(path).add(root.real);
      for await (const found of walk(root, { ...this.#options, foldersOnly: true })) {
        if (found.kind === "folder" && (found.isTop || WATCHES_EACH_FOLDER)) {
          folders.add(found.real);
        }
      }
    }
    return { folders, files };
  }

  #watch(folders: ReadonlySet<string>, files: ReadonlySet<string>): void {
    const watchers: Deno.FsWatcher[] = [];
    try {
      if (folders.size > 0) {
        watchers.push(
          WATCHES_EACH_FOLDER
            ? Deno.watchFs([...folders, ROOT], { recursive: false })
            : Deno.watchFs([...folders], { recursive: true }),
        );
      }
      // Editors replace a file by a new one of the same name, so its folder is watched.
      const around = new Set([...files].map((path) => dirname(path)));
      if (around.size > 0) watchers.push(Deno.watchFs([...around], { recursive: false }));
    } catch (error) {
      for (const watcher of watchers) watcher.close();
      throw error;
    }
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = watchers;
    this.#folders = folders;
    this.#files = files;
    for (const watcher of watchers) void this.#listen(watcher);
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    for await (const event of watcher) {
      if (event.kind === "access") continue;
      if (event.paths.some((path) => this.#concerns(path))) this.#changed();
    }
  }

  #concerns(path: string): boolean {
    if (this.#options.ownFiles.includes(path)) return false;
    if (this.#files.has(path)) return true;
    if (WATCHES_EACH_FOLDER) return this.#folders.has(dirname(path)) || this.#folders.has(path);
    for (const folder of this.#folders) if (path.startsWith(folder)) return true;
    return false;
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

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && a.isSubsetOf(b);
}
