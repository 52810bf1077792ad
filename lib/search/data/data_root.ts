/**
 * The data paths that the caller names.
 *
 * @module
 */
import { messageOf } from "../../base/message_of.ts";
import { SearchError } from "../error.ts";
import { openFile } from "./open_file.ts";

/** A data path that was found. */
export interface DataRoot {
  /** The absolute path as it was named. It may be a link: the caller asked for that one. */
  readonly path: string;
  /** The same place without links. */
  readonly real: string;
  /** Whether it is a file; else it is a folder. */
  readonly isFile: boolean;
}

/** Whether an error of {@linkcode findRoot} says that there is nothing at the path. */
export function isMissing(error: unknown): boolean {
  return error instanceof SearchError && error.cause instanceof Deno.errors.NotFound;
}

/** Whether a folder has nothing in it but hidden files. */
export async function isEmptyFolder({ real, isFile }: DataRoot): Promise<boolean> {
  if (isFile) return false;
  for await (const { name } of Deno.readDir(real)) if (!name.startsWith(".")) return false;
  return true;
}

/**
 * Finds a data path, and checks that it can be read.
 *
 * @param path An absolute path.
 * @throws {SearchError} `data-unreadable` if it does not exist, may not be read, or is a pipe, a
 * socket or a device.
 */
export async function findRoot(path: string): Promise<DataRoot> {
  try {
    const real = await Deno.realPath(path);
    const info = await Deno.stat(real);
    // Only opening it tells whether it can be read.
    if (info.isFile) {
      await using _file = await openFile({ real }, false);
    } else if (info.isDirectory) {
      for await (const _entry of Deno.readDir(real)) break;
    } else throw new Error("it is neither a file nor a folder");
    return { path, real, isFile: info.isFile };
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): SearchError {
  const { cause = error } = error as { cause?: unknown };
  const reason = cause instanceof Deno.errors.NotFound
    ? "it does not exist"
    : cause instanceof Deno.errors.PermissionDenied ||
        (cause as { code?: unknown }).code === "EACCES"
    ? "it may not be read by this user"
    : messageOf(error);
  return new SearchError("data-unreadable", `Cannot read the data path ${path}: ${reason}`, {
    path,
    cause: error,
  });
}
