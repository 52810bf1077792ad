/**
 * Finds the files of a data path.
 *
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../base/message_of.ts";
import type { ReadOption } from "../observer.ts";
import type { DataRoot } from "./data_root.ts";
import { Exclusions, IGNORE_FILE } from "./exclusions.ts";
import type { DataFile } from "./item.ts";

/** A file as it was found. */
export interface FoundFile extends DataFile {
  readonly kind: "file";
  readonly bytes: number;
  /** When it was changed last, in milliseconds since 1970; `undefined` where not known. */
  readonly modifiedMs: number | undefined;
}

/** A folder that was found; what is in it comes next. */
export interface FoundFolder {
  readonly kind: "folder";
  readonly path: string;
  /** The same place without links. */
  readonly real: string;
  /** Whether it is a data path or was reached by a link, and is not in a folder that was walked. */
  readonly isTop: boolean;
}

/** Something that was found and is not read. */
export interface SkippedPath {
  readonly kind: "skipped";
  readonly path: string;
  readonly reason: string;
  /** The option with which it would be read. */
  readonly option?: ReadOption | undefined;
  /** Whether it may be a file, or a folder of files, that can be read another time. */
  readonly isUnreadable: boolean;
}

type Found = FoundFile | FoundFolder | SkippedPath;

/** How a data path is walked. */
export interface WalkOptions {
  /** Whether links to files and folders are followed. */
  readonly follow: boolean;
  /** Patterns of what is left out, without a word. */
  readonly exclude: readonly string[];
  /** Report folders only; files are then not even looked at. @default {false} */
  readonly foldersOnly?: boolean;
}

interface Folder {
  readonly path: string;
  readonly real: string;
  /** The path relative to the data path, ending with `/`; empty for the data path itself. */
  readonly prefix: string;
  readonly isTop: boolean;
  /** What holds in the folder around it; of a folder that was listed, in itself. */
  readonly exclusions: Exclusions;
}

/** A folder that was listed, and the entries that were not looked at, the last name first. */
interface Listing {
  readonly folder: Folder;
  readonly left: Deno.DirEntry[];
}

/**
 * Walks a data path: the file itself, or all files in the folder and its folders, in the order of
 * their names. Names that begin with a dot are hidden: they are passed over without a word, and so
 * is what `exclude` or a `.socktoolignore` leaves out. Pipes, sockets and devices are skipped.
 *
 * Links are skipped, unless `follow` is set. Then each folder is still walked only once: links to
 * folders are followed last, and one that leads to a folder that was walked before is skipped. So
 * circles end.
 */
export async function* walk(
  root: DataRoot,
  options: WalkOptions,
): AsyncGenerator<Found> {
  const { path, real } = root;
  if (root.isFile) {
    if (options.foldersOnly) return;
    try {
      yield found(path, real, composed(/[^/\\]*$/.exec(path)![0]), await Deno.stat(real));
    } catch (error) {
      yield unreadable(path, error);
    }
    return;
  }
  const walker = new Walker(options);
  const exclusions = await Exclusions.of(options.exclude);
  yield* walker.walk({ path, real, prefix: "", isTop: true, exclusions });
  // Walking where one leads may add more links.
  for (const link of walker.links) {
    try {
      yield* walker.walk({ ...link, real: await Deno.realPath(link.path), isTop: true });
    } catch (error) {
      yield unreadable(link.path, error);
    }
  }
}

/**
 * Walks one place in a data folder as {@linkcode walk} would, without following links: a file, or a
 * folder with all that is in it. If nothing is there, or it is left out, nothing is found.
 *
 * @param path The place, as a path that begins with the data path's.
 */
export async function* walkPlace(
  root: DataRoot,
  path: string,
  options: Omit<WalkOptions, "follow">,
): AsyncGenerator<Found> {
  const names = path.slice(root.path.length + 1).split("/");
  const last = names.pop()!;
  let exclusions = await Exclusions.of(options.exclude);
  let [real, prefix] = [root.real, ""];
  for (const name of names) {
    exclusions = await exclusions.within(real, prefix, false);
    const inRoot = prefix + composed(name);
    if (name.startsWith(".") || exclusions.excludes(inRoot, true)) return;
    real = join(real, name);
    prefix = `${inRoot}/`;
  }
  if (last.startsWith(".")) return;
  exclusions = await exclusions.within(real, prefix, false);
  const around = { path: path.slice(0, -last.length - 1), real, prefix, isTop: false, exclusions };
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(join(real, last));
  } catch (error) {
    if (!isGone(error)) yield unreadable(path, error);
    return;
  }
  const { isDirectory, isSymlink, isFile } = info;
  const walker = new Walker({ ...options, follow: false });
  const found = await walker.look(around, { name: last, isDirectory, isSymlink, isFile });
  if (found === undefined) return;
  if ("kind" in found) yield found;
  else yield* walker.walk(found);
}

class Walker {
  /** Links to folders that were met and are not followed yet. */
  readonly links: Pick<Folder, "path" | "prefix" | "exclusions">[] = [];
  readonly #options: WalkOptions;
  /** The real paths of folders that were walked. */
  readonly #walked = new Set<string>();

  constructor(options: WalkOptions) {
    this.#options = options;
  }

  /**
   * Walks a folder and all that is in it. With a stack: through a generator for each folder a file in
   * 900 folders would pass 900 times, which takes 40 ms.
   */
  async *walk(top: Folder): AsyncGenerator<Found> {
    const begun: Listing[] = [];
    let folder: Folder | undefined = top;
    while (true) {
      if (folder !== undefined) {
        const entered = this.#enter(folder);
        yield entered;
        try {
          if (entered.kind === "folder") begun.push(await this.#list(folder));
        } catch (error) {
          yield unreadable(folder.path, error);
        }
        folder = undefined;
      }
      const listing = begun.at(-1);
      if (listing === undefined) return;
      const entry = listing.left.pop();
      if (entry === undefined) begun.pop();
      else {
        const found = await this.look(listing.folder, entry);
        if (found === undefined) continue;
        if ("kind" in found) yield found;
        else folder = found;
      }
    }
  }

  /** Looks at one entry of a folder: a folder in it is to be walked. */
  async look(
    folder: Folder,
    { name, isDirectory, isSymlink }: Deno.DirEntry,
  ): Promise<Found | Folder | undefined> {
    const { follow, foldersOnly = false } = this.#options;
    const path = `${folder.path}/${name}`;
    const real = join(folder.real, name);
    const inRoot = `${folder.prefix}${composed(name)}`;
    const { exclusions } = folder;
    if (exclusions.excludes(inRoot, isDirectory)) return undefined;
    if (isDirectory) return { path, real, prefix: `${inRoot}/`, isTop: false, exclusions };
    if (foldersOnly && !(isSymlink && follow)) return undefined;
    try {
      const info = await (follow ? Deno.stat(real) : Deno.lstat(real));
      if (info.isSymlink) return skipped(path, "a link, and links are not followed", "follow");
      if (info.isFile) return found(path, real, inRoot, info);
      if (!info.isDirectory || !isSymlink) return skipped(path, "neither a file nor a folder");
      if (!exclusions.excludes(inRoot, true)) {
        this.links.push({ path, prefix: `${inRoot}/`, exclusions });
      }
      return undefined;
    } catch (error) {
      // A file that was deleted since the folder was read is just not there.
      return isGone(error) && !isSymlink ? undefined : unreadable(path, error);
    }
  }

  #enter({ path, real, isTop }: Folder): FoundFolder | SkippedPath {
    if (this.#options.follow) {
      if (this.#walked.has(real)) {
        return skipped(path, "a folder that is taken in under another name");
      }
      this.#walked.add(real);
    }
    return { kind: "folder", path, real, isTop };
  }

  async #list(folder: Folder): Promise<Listing> {
    const left: Deno.DirEntry[] = [];
    let hasPatterns = false;
    for await (const entry of Deno.readDir(folder.real)) {
      if (!entry.name.startsWith(".")) left.push(entry);
      else if (entry.name === IGNORE_FILE) hasPatterns = true;
    }
    left.sort((a, b) => a.name < b.name ? 1 : -1);
    const exclusions = hasPatterns
      ? await folder.exclusions.within(folder.real, folder.prefix, this.#options.follow)
      : folder.exclusions;
    return { folder: { ...folder, exclusions }, left };
  }
}

/** A name as people type it: macOS has letters and their accents apart. */
function composed(name: string): string {
  return name.normalize("NFC");
}

/** Whether there is nothing at a path, or a file where a folder of the path was. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function found(path: string, real: string, name: string, info: Deno.FileInfo): FoundFile {
  const modifiedMs = info.mtime?.getTime();
  return { kind: "file", path, real, name, bytes: info.size, modifiedMs };
}

function skipped(path: string, reason: string, option?: ReadOption): SkippedPath {
  return { kind: "skipped", path, reason, option, isUnreadable: false };
}

function unreadable(path: string, error: unknown): SkippedPath {
  const reason = `unreadable: ${messageOf(error)}`;
  return { kind: "skipped", path, reason, isUnreadable: true };
}
