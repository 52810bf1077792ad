import { syncFolderOf } from "./sync_folder.ts";

/**
 * Writes a file under another name, and gives it its own when it is whole: if writing fails, there is no
 * file. One that is there already, or comes meanwhile, is not replaced. Its name is on the disk then.
 *
 * @param write Writes a file of the given path, and syncs it.
 * @returns What `write` returns.
 * @throws {Deno.errors.AlreadyExists} if there is a file.
 * @throws what `write` throws.
 */
export async function writeNew<T>(
  path: string,
  write: (partial: string) => Promise<T>,
): Promise<T> {
  if (await exists(path)) throw new Deno.errors.AlreadyExists(path);
  const partial = `${path}.part-${crypto.randomUUID()}`;
  try {
    const result = await write(partial);
    await moveTo(partial, path);
    syncFolderOf(path);
    return result;
  } finally {
    await Deno.remove(partial).catch(() => {});
  }
}

/** Gives a file another name, and never takes that of a file that came meanwhile. */
async function moveTo(from: string, to: string): Promise<void> {
  try {
    await Deno.link(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    // Some file systems have no links.
    if (await exists(to)) throw new Deno.errors.AlreadyExists(to);
    await Deno.rename(from, to);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
