/**
 * Tells where something in the data may have changed.
 *
 * @module
 */
import { basename, dirname } from "node:path";
import { messageOf } from "../../base/message_of.ts";
import { PeriodicLook } from "../../base/periodic_look.ts";
import { type DataRoot, findRoot, isMissing } from "../data/data_root.ts";
import { IGNORE_FILE } from "../data/exclusions.ts";
import { walk, walkPlace } from "../data/walk.ts";
import { SearchError } from "../error.ts";
import type { WatchEvent } from "../observer.ts";
import type { ChangedPlace } from "./source_table.ts";
import { foldPath, foldsNames, type KnownPaths } from "./path_folding.ts";
import { PathPoll } from "./path_poll.ts";

/** A change is reported when no other followed for this long. */
const QUIET_MS = 100;
/** While changes follow each other without a pause, they are reported this often. */
const MAX_WAIT_MS = 1000;
/**
 * How long after a change in which folders were found it is reported once more. A file that is made in
 * a new folder before the folder is watched causes no event; this finds it.
 */
const AGAIN_MS = 1000;
/** How often to list the folders again because one was deleted before it could be watched. */
const MAX_ATTEMPTS = 5;
/** Of more places that changed together, all is looked at. */
const MAX_PLACES = 500;
/** How often all data are looked at while the system cannot watch them. */
const LOOK_MS = 30_000;
/** Looking takes at most this share of the time: where listing the folders is slow, it is rarer. */
const LOOK_SHARE = 1 / 10;
/** Watchers of the system; new folders have one of their own until there are this many. */
const MAX_WATCHERS = 8;

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
  /** Patterns of what is left out. */
  readonly exclude: readonly string[];
  /** The index's own files, as paths without links: their changes are ignored. */
  readonly ownFiles: KnownPaths;
}

/** What a {@linkcode DataWatcher} tells of, until it is closed. */
export interface DataWatcherEvents {
  /**
   * Something has changed, some time ago.
   *
   * @param places Where; without them, anywhere.
   */
  changed(places: readonly ChangedPlace[] | undefined): void;
  watching(event: WatchEvent): void;
}

/** The system, as far as it watches. */
export interface WatchingSystem {
  watch(paths: string[], options: { readonly recursive: boolean }): Deno.FsWatcher;
  /** How often to look where it cannot, in milliseconds. */
  readonly lookMs: number;
}

const SYSTEM: WatchingSystem = { watch: Deno.watchFs, lookMs: LOOK_MS };

/** What is watched, by paths without links. */
interface Watched {
  /** Folders, with where they are as the data path was named. */
  readonly folders: Map<string, ChangedPlace>;
  /** Files that are data paths. */
  readonly files: Map<string, ChangedPlace>;
  /** Those of them whose names may be spelled otherwise, by their folded paths. */
  readonly foldedFiles: Map<string, ChangedPlace>;
}

/**
 * Watches data paths until it is closed. A path that is missing is waited for. Where the system cannot
 * watch, as its limit of watches is reached, all data are looked at periodically instead.
 */
export class DataWatcher implements Disposable {
  readonly #options: DataWatcherOptions;
  readonly #events: DataWatcherEvents;
  readonly #system: WatchingSystem;
  readonly #poll: PathPoll;
  /** Runs while the system does not watch everything. */
  readonly #looking: PeriodicLook;
  #isBlind = false;
  /** When the folders were last listed, and how long that took. */
  #listedAt = 0;
  #listingMs = 0;
  #watchers: Deno.FsWatcher[] = [];
  #watched: Watched = { folders: new Map(), files: new Map(), foldedFiles: new Map() };
  /** What changed since it was reported last; `undefined` for all. */
  #changes: Map<string, ChangedPlace> | undefined = new Map();
  #quiet: ReturnType<typeof setTimeout> | undefined;
  readonly #again = new Set<ReturnType<typeof setTimeout>>();
  #firstMs = 0;
  #isClosed = false;

  /** @param system Stands in for the real one in tests. */
  constructor(
    options: DataWatcherOptions,
    events: DataWatcherEvents,
    system: WatchingSystem = SYSTEM,
  ) {
    this.#options = options;
    this.#events = events;
    this.#system = system;
    this.#looking = new PeriodicLook(system.lookMs, (now) => this.#look(now));
    // The system tells what happens in a folder, not that another one has taken its place.
    this.#poll = new PathPoll(options.data, () => this.#changed(undefined));
  }

  /**
   * Watches the folders that the data have now. Call it before each time that the data are read, so
   * that no change is missed between the two.
   *
   * @param places Where something changed; without it, anywhere.
   * @throws {SearchError} `data-unreadable`. What was watched before still is.
   */
  async update(places?: readonly ChangedPlace[]): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        if (places === undefined) await this.#updateAll();
        else await this.#updateIn(places);
        return;
      } catch (error) {
        if (error instanceof SearchError) throw error;
        // A folder was deleted after it was found.
        if (error instanceof Deno.errors.NotFound && attempt < MAX_ATTEMPTS) continue;
        return this.#failed(error);
      }
    }
  }

  /** Ends watching: nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    this.#poll.close();
    this.#looking.stop();
    clearTimeout(this.#quiet);
    for (const timer of this.#again) clearTimeout(timer);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /** {@linkcode DataWatcher.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #updateAll(): Promise<void> {
    const begin = performance.now();
    await this.#poll.look();
    const watched: Watched = { folders: new Map(), files: new Map(), foldedFiles: new Map() };
    for (const path of this.#options.data) {
      const root = await findRoot(path).catch((error) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (root === undefined) continue;
      const place = { root: path, path };
      if (root.isFile) {
        watched.files.set(path, place).set(root.real, place);
        if (await foldsNames(root.real)) watched.foldedFiles.set(foldPath(root.real), place);
      }
      for await (const found of walk(root, { ...this.#options, foldersOnly: true })) {
        if (found.kind !== "folder" || !(found.isTop || WATCHES_EACH_FOLDER)) continue;
        if (!watched.folders.has(found.real)) {
          watched.folders.set(found.real, { root: path, path: found.path });
        }
      }
    }
    if (this.#isClosed) return;
    this.#listedAt = performance.now();
    this.#listingMs = this.#listedAt - begin;
    // Deleted and made again, a folder needs a watch of its own, although its path is the same.
    this.#watchAll(watched);
    if (!this.#isBlind) return;
    this.#isBlind = false;
    this.#looking.stop();
    this.#events.watching({ problem: undefined });
  }

  async #updateIn(places: readonly ChangedPlace[]): Promise<void> {
    const { folders } = this.#watched;
    const added = new Map<string, ChangedPlace>();
    const roots = new Map<string, DataRoot>();
    for (const { root, path } of places) {
      if (!roots.has(root)) roots.set(root, await findRoot(root));
      if (path === root) continue;
      const options = { ...this.#options, foldersOnly: true };
      for await (const found of walkPlace(roots.get(root)!, path, options)) {
        if (found.kind === "folder") added.set(found.real, { root, path: found.path });
      }
      if (added.size > 0) this.#reportAgain({ root, path });
    }
    if (this.#isClosed || added.size === 0 || !WATCHES_EACH_FOLDER) return;
    for (const [real, place] of added) folders.set(real, place);
    if (this.#watchers.length < MAX_WATCHERS) this.#watch([...added.keys(), ROOT], false);
    else this.#watchAll(this.#watched);
  }

  #watchAll(watched: Watched): void {
    const before = this.#watchers;
    this.#watchers = [];
    try {
      const folders = [...watched.folders.keys()];
      if (folders.length > 0) {
        if (WATCHES_EACH_FOLDER) this.#watch([...folders, ROOT], false);
        else this.#watch(folders, true);
      }
      // Editors replace a file by a new one of the same name, so its folder is watched.
      const around = new Set([...watched.files.keys()].map((path) => dirname(path)));
      if (around.size > 0) this.#watch([...around], false);
    } catch (error) {
      for (const watcher of this.#watchers) watcher.close();
      this.#watchers = before;
      throw error;
    }
    for (const watcher of before) watcher.close();
    this.#watched = watched;
  }

  #watch(paths: string[], recursive: boolean): void {
    const watcher = this.#system.watch(paths, { recursive });
    this.#watchers.push(watcher);
    void this.#listen(watcher);
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const event of watcher) {
        if (event.kind === "access") continue;
        // More happened than Deno keeps, and what is not told.
        if (event.flag === "rescan") this.#changed(undefined);
        for (const path of event.paths) this.#note(path);
      }
    } catch (error) {
      if (this.#watchers.includes(watcher)) this.#failed(error);
    }
  }

  /** The system does not watch everything: the data are looked at, until it does again. */
  #failed(error: unknown): void {
    if (this.#isClosed || this.#isBlind) return;
    this.#isBlind = true;
    this.#looking.start();
    this.#events.watching({ problem: messageOf(error) });
  }

  /** Each look at the data tries to have them watched, too. */
  #look(now: number): void {
    const restMs = this.#listingMs / LOOK_SHARE;
    if (now - this.#listedAt >= restMs) this.#events.changed(undefined);
  }

  #note(path: string): void {
    if (this.#options.ownFiles.has(path)) return;
    const { folders, files, foldedFiles } = this.#watched;
    const file = files.get(path) ??
      (foldedFiles.size > 0 ? foldedFiles.get(foldPath(path)) : undefined);
    if (file !== undefined) return this.#changed(file);
    const name = basename(path);
    if (!WATCHES_EACH_FOLDER) {
      for (const folder of folders.keys()) if (path.startsWith(folder)) this.#changed(undefined);
      return;
    }
    const around = folders.get(dirname(path));
    if (around === undefined) {
      // The folder of a data path itself: who may read it has changed.
      if (folders.has(path)) this.#changed(undefined);
    } else if (name === IGNORE_FILE || this.#options.follow) this.#changed(undefined);
    else if (!name.startsWith(".")) {
      this.#changed({ root: around.root, path: `${around.path}/${name}` });
    }
  }

  /** @param place Where something changed; without it, anywhere. */
  #changed(place: ChangedPlace | undefined): void {
    if (this.#isClosed) return;
    if (place === undefined) this.#changes = undefined;
    else this.#changes?.set(place.path, place);
    if (this.#changes !== undefined && this.#changes.size > MAX_PLACES) this.#changes = undefined;
    const now = performance.now();
    if (this.#quiet === undefined) this.#firstMs = now;
    else clearTimeout(this.#quiet);
    const wait = Math.max(0, Math.min(QUIET_MS, this.#firstMs + MAX_WAIT_MS - now));
    this.#quiet = setTimeout(() => this.#report(), wait);
  }

  #report(): void {
    this.#quiet = undefined;
    const changes = this.#changes;
    this.#changes = new Map();
    if (changes === undefined) this.#later(undefined);
    this.#events.changed(changes && outermost([...changes.values()]));
  }

  #reportAgain(place: ChangedPlace): void {
    this.#later([place]);
  }

  #later(places: readonly ChangedPlace[] | undefined): void {
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      this.#events.changed(places);
    }, AGAIN_MS);
    this.#again.add(timer);
  }
}

/** Places without those inside of another one. */
function outermost(places: readonly ChangedPlace[]): ChangedPlace[] {
  const paths = new Set(places.map(({ path }) => path));
  return places.filter(({ root, path }) => {
    for (let at = dirname(path); at.length >= root.length; at = dirname(at)) {
      if (paths.has(at)) return false;
      if (at === dirname(at)) break;
    }
    return true;
  });
}
