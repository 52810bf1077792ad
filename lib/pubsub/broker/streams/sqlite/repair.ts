/**
 * Makes a whole store of one that is damaged.
 *
 * @module
 */
import { checkOptions } from "../../../../base/option_kinds.ts";
import { SqliteError } from "../../../../sqlite/mod.ts";
import { needStore } from "./care.ts";
import type { StreamStoreCheck } from "./examine.ts";
import { beside, exchange, lockStore, removeRemains } from "./exchange.ts";
import { CARE_OPTIONS, inCareThread, type StreamStoreCareOptions } from "./in_care_thread.ts";
import { DATABASE_NAME } from "./schema.ts";

/** What {@linkcode repairStreamStore} did. */
export interface StreamStoreRepair {
  /** How many streams there are. */
  readonly streams: number;
  /** Messages that are kept. */
  readonly messages: number;
  /** What is lost, in sentences; empty if nothing is, or the store was whole. */
  readonly lost: readonly string[];
  /** Where the damaged database is; `undefined` if the store was whole, and nothing was changed. */
  readonly damaged: string | undefined;
}

/**
 * Repairs a store that no broker has open: all that can be read and has the right checksum is copied
 * into a new database, which takes the place of the damaged one; that is kept beside it. Where
 * messages are lost, their numbers are missing. A thread of its own reads all of the store.
 *
 * @throws {SqliteError} `locked` if a broker has it; `failed` if there is none; `damaged` if nothing
 * of it can be read; `full`. The store is as it was then.
 * @throws the reason of the signal, if that ends it. The store is as it was then.
 */
export async function repairStreamStore(
  folder: string,
  options: StreamStoreCareOptions = {},
): Promise<StreamStoreRepair> {
  checkOptions(options, CARE_OPTIONS);
  const path = `${folder}/${DATABASE_NAME}`;
  needStore(path, "repair");
  await using _lock = await lockStore(path);
  const before = await inCareThread({ kind: "examine", path }, options);
  if (before.problems.length === 0) return { ...figuresOf(before), lost: [], damaged: undefined };
  const [copy, readable] = [beside(path, "repaired"), beside(path, "readable")];
  try {
    const order = { kind: "rescue", path, readable, target: copy } as const;
    const lost = await inCareThread(order, options);
    const after = await inCareThread({ kind: "examine", path: copy }, options);
    if (after.problems.length > 0) {
      throw new SqliteError("damaged", path, "repair", after.problems[0]!);
    }
    options.signal?.throwIfAborted();
    return { ...figuresOf(after), lost, damaged: await exchange(path, copy) };
  } finally {
    await removeRemains(path);
  }
}

function figuresOf({ streams, messages }: StreamStoreCheck) {
  return { streams, messages };
}
