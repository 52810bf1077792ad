/**
 * What the rows of the small tables have to be. They have no checksums: a row that was damaged and can
 * still be read is told by what it holds.
 *
 * @module
 */
import { FrameDecoder } from "../../../../frame/mod.ts";
import { ENTRY_BYTES } from "./consumer_entry.ts";
import { readIdLog } from "./message_ids.ts";
import type { SqlValue, Statements } from "./statements.ts";
import { isOfKinds } from "./salvage.ts";

/** A table whose rows are looked at one by one. */
export interface SmallTable {
  readonly name: string;
  readonly columns: string;
  /** What names a row, in its order; these columns come first. */
  readonly key: readonly string[];
  /** What the columns hold, as for `isOfKinds`. */
  readonly kinds: string;
  /** What its rows are. */
  readonly what: string;
  /** Whether what a row holds can be used. */
  readonly isWhole: (row: readonly SqlValue[]) => boolean;
}

/** Consumers. */
export const CONSUMERS: SmallTable = {
  name: "consumer",
  columns: "id, stream, name, settings, position, redrive, entries",
  key: ["id"],
  kinds: "nnttnnb",
  what: "consumers",
  isWhole: ([, , , settings, , , entries]) =>
    isObject(settings as string) && (entries as Uint8Array).length % ENTRY_BYTES === 0,
};

/** Retained publications. */
export const RETAINED: SmallTable = {
  name: "retained",
  columns: "topic, frame",
  key: ["topic"],
  kinds: "tb",
  what: "retained publications",
  isWhole: ([topic, frame]) => isFrameOn(topic as string, frame as Uint8Array),
};

/** The log of message ids. */
export const RECENT_IDS: SmallTable = {
  name: "recent_id",
  columns: "stream, last, time, ids",
  key: ["stream", "last"],
  kinds: "nnnt",
  what: "message ids",
  isWhole: ([, , , ids]) => readIdLog(ids as string) !== undefined,
};

/** What is wrong with rows of these tables. */
export function* smallRowProblems(
  statements: Statements,
  tables: readonly SmallTable[],
): Iterable<string> {
  for (const { name, columns, key, kinds, what, isWhole } of tables) {
    const select = `SELECT ${columns} FROM ${name}`;
    const order = `ORDER BY ${key.join(", ")} LIMIT 1`;
    const places = key.map(() => "?").join(", ");
    const next = `${select} WHERE (${key.join(", ")}) > (${places}) ${order}`;
    let row = statements.row<SqlValue[]>(`${select} ${order}`);
    while (row) {
      if (!isOfKinds(row, kinds) || !isWhole(row)) yield `${what}: one is not as written`;
      row = statements.row<SqlValue[]>(next, ...row.slice(0, key.length));
    }
  }
}

/** Whether a text is a JSON object. */
export function isObject(text: string): boolean {
  try {
    return JSON.parse(text) instanceof Object;
  } catch {
    return false;
  }
}

/** Whether bytes are one whole publication on a topic. */
function isFrameOn(topic: string, bytes: Uint8Array): boolean {
  const { frames, consumed } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
  return frames.length === 1 && consumed === bytes.length && frames[0]!.header["topic"] === topic;
}
