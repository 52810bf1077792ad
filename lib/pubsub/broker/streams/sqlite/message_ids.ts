import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Rows that are removed in one go. */
const STEP_ROWS = 500;

/**
 * The message ids that streams remember. They are kept in buckets that each cover the length of the
 * window. So an id is looked for in two buckets, and buckets are removed as a whole.
 */
export class MessageIds {
  readonly #statements: Statements;

  /** Over the connection that writes. */
  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** The number of the message that was stored with an id within the window; `undefined` if none. */
  find({ id: stream, settings }: StreamRecord, id: string, time: number): number | undefined {
    const bucket = bucketOf(time, settings.dedupMs);
    for (const each of [bucket, bucket - 1]) {
      const row = this.#statements.row<[seq: number, time: number]>(
        "SELECT seq, time FROM message_id WHERE stream = ? AND bucket = ? AND id = ?",
        stream,
        each,
        id,
      );
      if (row && time - row[1] < settings.dedupMs) return row[0];
    }
    return undefined;
  }

  /** Remembers an id. */
  add({ id: stream, settings }: StreamRecord, id: string, seq: number, time: number): void {
    this.#statements.run(
      "INSERT OR REPLACE INTO message_id VALUES (?, ?, ?, ?, ?)",
      stream,
      bucketOf(time, settings.dedupMs),
      id,
      seq,
      time,
    );
  }

  /** Removes some that are out of the window. @returns whether there may be more. */
  removeOld({ id: stream, settings }: StreamRecord, time: number): boolean {
    const removed = this.#statements.run(
      "DELETE FROM message_id WHERE (stream, bucket, id) IN (SELECT stream, bucket, id " +
        "FROM message_id WHERE stream = ? AND bucket < ? LIMIT ?)",
      stream,
      bucketOf(time, settings.dedupMs) - 1,
      STEP_ROWS,
    );
    return removed === STEP_ROWS;
  }
}

function bucketOf(time: number, windowMs: number): number {
  return Math.floor(time / windowMs);
}
