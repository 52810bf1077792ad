import { messageOf } from "../../lib/base/message_of.ts";
import type { BrokerClient } from "../../lib/pubsub/mod.ts";
import { writeNew } from "../../lib/sqlite/new_file.ts";
import type { AnswerLimit } from "./answer_limit.ts";

/**
 * Writes a copy of what a broker keeps into a new file: it has all of the copy, on the disk, or does
 * not exist.
 *
 * @param limit Bounds how long the broker may show no sign of life.
 * @returns The size in bytes.
 * @throws {Error} if there is a file already, or it cannot be written.
 */
export async function receiveBackup(
  { streams }: BrokerClient,
  limit: AnswerLimit,
  target: string,
): Promise<number> {
  const failed = (reason: string, cause: unknown) =>
    new Error(`Cannot back up the broker's store: ${target} ${reason}`, { cause });
  const create = async (path: string) => {
    try {
      return await Deno.open(path, { write: true, createNew: true });
    } catch (cause) {
      throw failed("cannot be made: its folder does not exist, or may not be written", cause);
    }
  };
  try {
    return await writeNew(target, async (partial) => {
      using file = await create(partial);
      const copying = streams.backup((part) => {
        limit.came();
        try {
          for (let at = 0; at < part.length;) at += file.writeSync(part.subarray(at));
        } catch (cause) {
          throw failed(`cannot be written: ${messageOf(cause)}`, cause);
        }
      });
      const bytes = await limit.waitLong("stream backup", copying);
      await file.sync();
      return bytes;
    });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AlreadyExists)) throw cause;
    throw failed("exists already; name a new file", cause);
  }
}
