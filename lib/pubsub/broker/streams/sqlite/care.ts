/**
 * Copies a store, and checks one.
 *
 * @module
 */
import { checkOptions } from "../../../../base/option_kinds.ts";
import { identityOf, SqliteError } from "../../../../sqlite/mod.ts";
import type { StreamStoreCheck } from "./examine.ts";
import { lockStore } from "./exchange.ts";
import { CARE_OPTIONS, inCareThread, type StreamStoreCareOptions } from "./in_care_thread.ts";
import { journalPathOf } from "./journal/reading.ts";
import { remainsOf } from "./remains.ts";
import { DATABASE_NAME } from "./schema.ts";
import { STORE_MEMORY_BYTES, storeMemory } from "./store_memory.ts";
import { StoreReader } from "./store_reader.ts";

/**
 * Copies a store into a new file, a database, as it is at one moment, also while a broker has it open.
 * Copying the file itself would miss what is in its log and its journal.
 *
 * @param folder The store's.
 * @param target The file to be made; it has all of the copy or does not exist.
 * @throws {SqliteError} `failed` if there is no store; `damaged` if only a part of it is there.
 * @throws {StreamError} `storage-failed` if the file cannot be written.
 * @throws the reason of the signal, if that ends it.
 */
export async function backupStreamStore(
  folder: string,
  target: string,
  options: Pick<StreamStoreCareOptions, "signal"> = {},
): Promise<void> {
  checkOptions(options, { signal: "signal" });
  const path = `${folder}/${DATABASE_NAME}`;
  needStore(path, "back up");
  const isOpen = await isOpenElsewhere(path);
  const remains = remainsOf(path);
  if (remains !== undefined) throw new SqliteError("damaged", path, "back up", remains);
  const reader = new StoreReader();
  try {
    await reader.open(
      path,
      storeMemory(STORE_MEMORY_BYTES).readerCacheBytes,
    );
    await reader.backup(target, isOpen, options.signal);
  } finally {
    await reader.close();
  }
}

/** Whether a broker has a store, or may have it: where it cannot be written, that is not known. */
async function isOpenElsewhere(path: string): Promise<boolean> {
  try {
    await using _lock = await lockStore(path);
    return false;
  } catch {
    return true;
  }
}

/**
 * Checks a store that no broker has open: the files themselves, the frames and checksums of all
 * messages, and the counters of streams. A thread of its own reads all of it.
 *
 * @throws {SqliteError} `locked` if a broker has it; `failed` if there is none.
 * @throws the reason of the signal, if that ends it.
 */
export async function checkStreamStore(
  folder: string,
  options: StreamStoreCareOptions = {},
): Promise<StreamStoreCheck> {
  checkOptions(options, CARE_OPTIONS);
  const path = `${folder}/${DATABASE_NAME}`;
  needStore(path, "check");
  await using _lock = await lockStore(path);
  return await inCareThread({ kind: "examine", path }, options);
}

/** @throws {SqliteError} if there is no database, nor a part of one. */
export function needStore(path: string, action: string): void {
  const parts = [path, `${path}-wal`, journalPathOf(path)];
  if (parts.some((part) => identityOf(part) !== undefined)) return;
  throw new SqliteError("failed", path, action, "there is none; name the folder of a store");
}
