/**
 * Finds the files of a data path.
 *
 * @module
 */
import { messageOf } from "../../base/message_of.ts";
import { SearchError } from "../error.ts";
import type { DataFile } from "./item.ts";

/** A file as it was found. */
export interface FoundFile extends DataFile {
  readonly bytes: number;
  /** When it was changed last, in milliseconds since 1970; `undefined` where not known. */
  readonly modifiedMs: number | undefined;
}

/** Something that was found and is no file to read. */
export interface NoFile {
  readonly path: string;
  readonly reason: string;
}

/**
 * Goes through a data path: the file itself, or the files of the folder and of those in it, in the
 * order of their names. Names that begin with a dot are passed over in silence, as version control
 * and editors mean them to be. Links to files are followed, links to folders are not: they may lead
 * in a circle. Pipes, sockets and devices are never opened.
 *
 * @param root An absolute path.
 * @throws {SearchError} `data-unreadable` if the path itself cannot be read.
 */
export async function* walk(root: string): AsyncGenerator<FoundFile | NoFile> {
  const info = await statData(root);
  if (info.isFile) yield found(root, /[^/\\]*$/.exec(root)![0], info);
  else yield* walkFolder(root, "");
}

/**
 * Looks at a data path, and whether it can be read: opening it is the only way to know.
 *
 * @throws {SearchError} `data-unreadable`.
 */
export async function statData(root: string): Promise<Deno.FileInfo> {
  try {
    const info = await Deno.stat(root);
    if (info.isFile) (await Deno.open(root)).close();
    else if (info.isDirectory) {
      for await (const _ of Deno.readDir(root)) break;
    } else throw new Error("it is neither a file nor a folder");
    return info;
  } catch (error) {
    throw unreadable(root, error);
  }
}

async function* walkFolder(root: string, prefix: string): AsyncGenerator<FoundFile | NoFile> {
  const folder = `${root}/${prefix}`;
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.name.startsWith(".")) entries.push(entry);
    }
  } catch (error) {
    yield { path: folder, reason: `unreadable: ${messageOf(error)}` };
    return;
  }
  entries.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const entry of entries) {
    const name = `${prefix}${entry.name}`;
    const path = `${root}/${name}`;
    if (entry.isDirectory) {
      yield* walkFolder(root, `${name}/`);
      continue;
    }
    try {
      const info = await Deno.stat(path);
      if (info.isFile) yield found(path, name, info);
      else if (info.isDirectory) yield { path, reason: "a link to a folder" };
      else yield { path, reason: "neither a file nor a folder" };
    } catch (error) {
      // A file that went since the folder was read is simply not there any more.
      if (error instanceof Deno.errors.NotFound && !entry.isSymlink) continue;
      yield { path, reason: `unreadable: ${messageOf(error)}` };
    }
  }
}

function found(path: string, name: string, info: Deno.FileInfo): FoundFile {
  return { path, name, bytes: info.size, modifiedMs: info.mtime?.getTime() };
}

function unreadable(path: string, error: unknown): SearchError {
  const reason = error instanceof Deno.errors.NotFound
    ? "it does not exist"
    : error instanceof Deno.errors.PermissionDenied
    ? "it may not be read by this user"
    : messageOf(error);
  return new SearchError("data-unreadable", `Cannot read the data path ${path}: ${reason}`, {
    path,
    cause: error,
  });
}
