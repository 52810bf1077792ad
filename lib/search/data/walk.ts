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
  /** What holds in the folder around it. */
  readonly exclusions: Exclusions;
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
): AsyncGenerator<FoundFile | FoundFolder | SkippedPath> {
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
): AsyncGenerator<FoundFile | FoundFolder | SkippedPath> {
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
  yield* walker.look(around, { name: last, isDirectory, isSymlink, isFile });
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

  async *walk(folder: Folder): AsyncGenerator<FoundFile | FoundFolder | SkippedPath> {
    const { path, real, isTop } = folder;
    if (this.#options.follow) {
      if (this.#walked.has(real)) {
        yield skipped(path, "a folder that is taken in under another name");
        return;
      }
      this.#walked.add(real);
    }
    yield { kind: "folder", path, real, isTop };
    const entries: Deno.DirEntry[] = [];
    let hasPatterns = false;
    try {
      for await (const entry of Deno.readDir(real)) {
        if (!entry.name.startsWith(".")) entries.push(entry);
        else if (entry.name === IGNORE_FILE) hasPatterns = true;
      }
    } catch (error) {
      yield unreadable(path, error);
      return;
    }
    entries.sort((a, b) => a.name < b.name ? -1 : 1);
    const exclusions = hasPatterns
      ? await folder.exclusions.within(real, folder.prefix, this.#options.follow)
      : folder.exclusions;
    for (const entry of entries) yield* this.look({ ...folder, exclusions }, entry);
  }

  /** Looks at one entry of a folder. */
  async *look(
    folder: Folder,
    { name, isDirectory, isSymlink }: Deno.DirEntry,
  ): AsyncGenerator<FoundFile | FoundFolder | SkippedPath> {
    const { follow, foldersOnly = false } = this.#options;
    const path = `${folder.path}/${name}`;
    const real = join(folder.real, name);
    const inRoot = `${folder.prefix}${composed(name)}`;
    const { exclusions } = folder;
    if (exclusions.excludes(inRoot, isDirectory)) return;
    if (isDirectory) {
      yield* this.walk({ path, real, prefix: `${inRoot}/`, isTop: false, exclusions });
      return;
    }
    if (foldersOnly && !(isSymlink && follow)) return;
    try {
      const info = await (follow ? Deno.stat(real) : Deno.lstat(real));
      if (info.isSymlink) yield skipped(path, "a link, and links are not followed", "follow");
      else if (info.isFile) yield found(path, real, inRoot, info);
      else if (info.isDirectory && isSymlink) {
        if (!exclusions.excludes(inRoot, true)) {
          this.links.push({ path, prefix: `${inRoot}/`, exclusions });
        }
      } else yield skipped(path, "neither a file nor a folder");
    } catch (error) {
      // A file that was deleted since the folder was read is just not there.
      if (isGone(error) && !isSymlink) return;
      yield unreadable(path, error);
    }
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
