import type { BrokerClient } from "../../lib/pubsub/mod.ts";

/**
 * Writes a copy of what a broker keeps into a new file: it has all of the copy, on the disk, or does
 * not exist.
 *
 * @returns The size in bytes.
 * @throws {Error} if there is a file already, or it cannot be written.
 */
export async function receiveBackup({ streams }: BrokerClient, target: string): Promise<number> {
  const failed = (reason: string, cause?: unknown) =>
    new Error(`Cannot back up the broker's store: ${target} ${reason}`, { cause });
  if (await exists(target)) throw failed("exists already; name a new file");
  const partial = `${target}.part-${crypto.randomUUID()}`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(partial, { write: true, createNew: true });
  } catch (cause) {
    throw failed("cannot be made: its folder does not exist, or may not be written", cause);
  }
  try {
    const bytes = await streams.backup((part) => {
      for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
    });
    await file.sync();
    await Deno.link(partial, target);
    return bytes;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw failed("exists already; name a new file");
    throw cause;
  } finally {
    file.close();
    await Deno.remove(partial).catch(() => {});
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
