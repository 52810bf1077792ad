import { DEAD_LETTERS } from "../dead_letter.ts";
import type { DeadCounts } from "./dead_counts.ts";
import type { GoneTable } from "./gone_table.ts";
import { isGone, type Runs, type StoredRun } from "./runs.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Rows of small tables that are removed in one go. */
const STEP_ROWS = 500;

/** Drops what streams keep no longer, a bounded number of runs at a time. */
export class Retention {
  readonly #statements: Statements;
  readonly #runs: Runs;
  readonly #gone: GoneTable;
  readonly #deadCounts: DeadCounts;

  /** Over the connection that writes. */
  constructor(statements: Statements, runs: Runs, gone: GoneTable, deadCounts: DeadCounts) {
    this.#statements = statements;
    this.#runs = runs;
    this.#gone = gone;
    this.#deadCounts = deadCounts;
  }

  /**
   * Drops the oldest runs of a stream that are beyond its limits. A run of which a message is
   * within them stays.
   *
   * @param most How many runs are dropped at most.
   * @returns whether there may be more.
   */
  keepLimits(stream: StreamRecord, now: number, most: number): boolean {
    const { maxAgeMs, maxBytes, maxCount, full } = stream.settings;
    const isBounded = full === "drop-oldest" && (maxBytes !== Infinity || maxCount !== Infinity);
    if (maxAgeMs === Infinity && !isBounded) return false;
    for (let i = 0; i < most; i++) {
      const run = this.#runs.at(stream.id, stream.floor);
      if (run === undefined) return false;
      const left = this.#remaining(stream, run);
      const isOld = maxAgeMs !== Infinity && now - run.time > maxAgeMs;
      const isTooMuch = full === "drop-oldest" &&
        (stream.count - left.count >= maxCount || stream.bytes - left.bytes >= maxBytes);
      if (!isOld && !isTooMuch) return false;
      this.#drop(stream, run, left);
    }
    return true;
  }

  /**
   * Drops the messages before a number.
   *
   * @returns whether all of them are dropped.
   */
  dropBefore(stream: StreamRecord, seq: number, most: number): boolean {
    // What only the journal has stays until it has rows.
    const end = Math.min(seq, stream.rowsEnd);
    for (let i = 0; i < most; i++) {
      if (stream.floor >= end) return end === Math.min(seq, stream.next);
      const run = this.#runs.at(stream.id, stream.floor);
      stream.touch();
      if (run === undefined || run.first >= end) {
        this.#raiseFloor(stream, end);
      } else if (run.first + run.count <= end) {
        this.#drop(stream, run, this.#remaining(stream, run));
      } else {
        const before = this.#remaining(stream, run);
        this.#raiseFloor(stream, end);
        const after = this.#remaining(stream, run);
        stream.count -= before.count - after.count;
        stream.bytes -= before.bytes - after.bytes;
      }
    }
    return false;
  }

  /**
   * Marks the messages of one run that a function picks as gone.
   *
   * @param from Where to look: the run that this message lies in, or the next one.
   * @param before Messages from this number on stay.
   * @returns Where to go on; `undefined` if all of the stream was looked at.
   */
  dropPicked(
    stream: StreamRecord,
    picks: (topic: string, seq: number) => boolean,
    from: number,
    before: number,
  ): number | undefined {
    const run = this.#runs.at(stream.id, Math.max(from, stream.floor));
    if (run === undefined || run.first >= before) return undefined;
    const frames = this.#runs.frames(run);
    for (let i = 0; i < frames.count; i++) {
      const seq = run.first + i;
      if (seq >= before) return undefined;
      if (!picks(frames.topicOf(i), seq)) continue;
      this.#gone.mark(stream, seq);
      if (stream.listed) this.#unlist(stream, seq, frames.topicOf(i));
    }
    return run.first + run.count;
  }

  /** Removes rows of other tables about messages that were dropped. @returns whether there may be more. */
  removeStale({ id, floor }: StreamRecord): boolean {
    const topics = this.#statements.run(
      "DELETE FROM topic WHERE (stream, topic) IN (SELECT stream, topic FROM topic " +
        "WHERE stream = ? AND last < ? ORDER BY last LIMIT +?)",
      id,
      floor,
      STEP_ROWS,
    );
    const kept = this.#statements.run(
      "DELETE FROM kept WHERE (stream, seq) IN (SELECT stream, seq FROM kept " +
        "WHERE stream = ? AND seq < ? ORDER BY seq LIMIT +?)",
      id,
      floor,
      STEP_ROWS,
    );
    return topics === STEP_ROWS || kept === STEP_ROWS;
  }

  /**
   * Removes some rows of a stream that was deleted.
   *
   * @returns whether all are gone.
   */
  removeDoomed(stream: number, most: number): boolean {
    const runs = this.#statements.rows<[number]>(
      "SELECT id FROM run WHERE stream = ? ORDER BY first LIMIT +?",
      stream,
      most,
    );
    for (const [id] of runs) this.#gone.remove(id);
    let rows = runs.length;
    for (
      const [table, key] of [["topic", "topic"], ["kept", "seq"], ["message_id", "bucket, id"], [
        "recent_id",
        "last",
      ]]
    ) {
      rows += this.#statements.run(
        `DELETE FROM ${table} WHERE (stream, ${key}) IN ` +
          `(SELECT stream, ${key} FROM ${table} WHERE stream = ? LIMIT +?)`,
        stream,
        STEP_ROWS,
      );
    }
    if (rows > 0) return false;
    this.#statements.run("DELETE FROM counter WHERE name = ?", unwantedCounter(stream));
    this.#statements.run("DELETE FROM doomed WHERE stream = ?", stream);
    return true;
  }

  #unlist({ id, name, floor }: StreamRecord, seq: number, topic: string): void {
    const rows = this.#statements.run("DELETE FROM kept WHERE stream = ? AND seq = ?", id, seq);
    if (name === DEAD_LETTERS && seq >= floor) this.#deadCounts.add(topic, -rows);
  }

  #raiseFloor(stream: StreamRecord, floor: number): void {
    if (stream.name === DEAD_LETTERS) this.#deadCounts.dropped(stream, stream.floor, floor);
    stream.floor = floor;
  }

  #drop(stream: StreamRecord, run: StoredRun, left: Remaining): void {
    stream.touch();
    this.#gone.remove(run.id);
    this.#raiseFloor(stream, run.first + run.count);
    stream.count -= left.count;
    stream.bytes -= left.bytes;
  }

  /** What of a run is still kept. */
  #remaining(stream: StreamRecord, run: StoredRun): Remaining {
    const marks = this.#gone.marksOf(run);
    if (stream.floor <= run.first) {
      const [bytes] = this.#statements.row<[number]>("SELECT bytes FROM run WHERE id = ?", run.id)!;
      return { count: run.count - (marks?.count ?? 0), bytes: bytes - (marks?.bytes ?? 0) };
    }
    let count = 0;
    let bytes = 0;
    const frames = this.#runs.frames(run);
    for (let i = 0; i < frames.count; i++) {
      if (run.first + i < stream.floor || isGone(marks, i)) continue;
      count++;
      bytes += frames.sizeOf(i);
    }
    return { count, bytes };
  }
}

/** The name of the counter of {@linkcode UnwantedMessages}. @param stream Its id. */
export function unwantedCounter(stream: number): string {
  return `unwanted ${stream}`;
}

interface Remaining {
  readonly count: number;
  readonly bytes: number;
}
