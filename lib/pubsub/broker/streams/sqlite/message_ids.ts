import { hashOf, IdTable } from "./id_table.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Rows that are removed in one go, ids that are moved, and the most ids in a row of the log. */
const STEP = 500;

/** Ids of all streams whose hashes are in memory: 16 to 32 MiB. */
const MAX_RECENT = 524_288;

/** The recent ids of one stream. */
interface RecentIds {
  /** Those of the commit that is being made. */
  readonly fresh: Map<string, number>;
  /** When these are stored. */
  freshTime: number;
  /** Where the others may be, the oldest first. */
  readonly tables: IdTable[];
  /** The table whose ids are being moved. */
  moving: IdTable | undefined;
  /** When the last of those was stored that were moved. */
  movedUntil: number;
  /** Rows of the log up to this number are out of the window. */
  dropped: number;
}

/** A row of the log: ids of one commit and their numbers. */
type LogRow = readonly [last: number, time: number, ids: string];

/**
 * The message ids that streams remember.
 *
 * A commit writes its ids as one row at the end of a log, so that it changes few pages whatever the
 * ids look like; in memory are only their hashes. Where that becomes too much, the oldest ids are
 * moved into a table by id, in buckets that each cover the length of the window: there an id is
 * looked for in two buckets, and buckets are removed as a whole.
 */
export class MessageIds {
  readonly #statements: Statements;
  readonly #maxRecent: number;
  readonly #streams = new Map<number, RecentIds>();
  /** Those with ids in the commit that is being made. */
  readonly #changed = new Map<StreamRecord, RecentIds>();
  #size = 0;

  /** Over the connection that writes. @param maxRecent Ids whose hashes are in memory at most. */
  constructor(statements: Statements, maxRecent: number = MAX_RECENT) {
    this.#statements = statements;
    this.#maxRecent = maxRecent;
  }

  /** Reads what is remembered of a stream: after a start, or when it was not deleted after all. */
  load({ id, settings: { dedupMs }, time: lastTime }: StreamRecord): void {
    const since = lastTime - dedupMs;
    const dropped = this.#statements.row<[number]>(
      "SELECT coalesce(max(last), 0) FROM recent_id WHERE stream = ? AND time <= ?",
      id,
      since,
    )![0];
    const isMoved = this.#statements.row("SELECT 1 FROM message_id WHERE stream = ? LIMIT 1", id);
    const recent: RecentIds = {
      fresh: new Map(),
      freshTime: 0,
      tables: [],
      moving: undefined,
      movedUntil: isMoved ? lastTime : -Infinity,
      dropped,
    };
    const rows = this.#statements.rows<LogRow>(
      "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last > ? ORDER BY last",
      id,
      dropped,
    );
    for (const [, time, ids] of rows) this.#add(recent, pairsOf(ids), time, dedupMs);
    this.#streams.set(id, recent);
  }

  /** Forgets a stream. */
  forget(stream: StreamRecord): void {
    for (const { size } of this.#streams.get(stream.id)?.tables ?? []) this.#size -= size;
    this.#streams.delete(stream.id);
    this.#changed.delete(stream);
  }

  /** The number of the message that was stored with an id within the window; `undefined` if none. */
  find(stream: StreamRecord, id: string, time: number): number | undefined {
    const { fresh, freshTime, tables, movedUntil } = this.#of(stream);
    const { dedupMs } = stream.settings;
    const seq = fresh.get(id);
    if (seq !== undefined && time - freshTime < dedupMs) return seq;
    const hash = hashOf(id);
    for (let i = tables.length - 1; i >= 0; i--) {
      for (const each of tables[i]!.find(hash)) {
        if (this.#isOf(stream, id, each, time)) return each;
      }
    }
    return time - movedUntil < dedupMs ? this.#findMoved(stream, id, time) : undefined;
  }

  /** Remembers an id. All of one commit have the same time. */
  add(stream: StreamRecord, id: string, seq: number, time: number): void {
    const recent = this.#of(stream);
    recent.fresh.set(id, seq);
    recent.freshTime = time;
    this.#changed.set(stream, recent);
  }

  /** Writes what was added. */
  save(): void {
    for (const [{ id }, { fresh, freshTime }] of this.#changed) {
      const pairs = [...fresh];
      for (let i = 0; i < pairs.length; i += STEP) {
        const row = pairs.slice(i, i + STEP);
        this.#statements.run(
          "INSERT INTO recent_id VALUES (?, ?, ?, ?)",
          id,
          row.at(-1)![1],
          freshTime,
          JSON.stringify(row),
        );
      }
    }
  }

  /** What was written is committed. */
  committed(): void {
    for (const [stream, recent] of this.#changed) {
      this.#add(recent, recent.fresh, recent.freshTime, stream.settings.dedupMs);
      recent.fresh.clear();
    }
    this.#changed.clear();
  }

  /** Takes back what was added since the last commit. */
  rollBack(): void {
    for (const { fresh } of this.#changed.values()) fresh.clear();
    this.#changed.clear();
  }

  /**
   * Removes some that are out of the window, and moves some where there are too many of all streams.
   * Called within a commit.
   *
   * @returns whether there may be more to do.
   */
  tidy(stream: StreamRecord, time: number): boolean {
    const { id, settings: { dedupMs } } = stream;
    const recent = this.#of(stream);
    const { tables } = recent;
    while (tables.length > 0 && time - tables[0]!.until >= dedupMs) this.#dropOldest(recent);
    const removed = recent.dropped === 0 ? 0 : this.#statements.run(
      "DELETE FROM recent_id WHERE (stream, last) IN (SELECT stream, last FROM recent_id " +
        "WHERE stream = ? AND last <= ? ORDER BY last LIMIT ?)",
      id,
      recent.dropped,
      STEP,
    );
    const old = recent.movedUntil === -Infinity ? 0 : this.#statements.run(
      "DELETE FROM message_id WHERE (stream, bucket, id) IN (SELECT stream, bucket, id " +
        "FROM message_id WHERE stream = ? AND bucket < ? LIMIT ?)",
      id,
      bucketOf(time, dedupMs) - 1,
      STEP,
    );
    const own = tables.reduce((sum, { size }) => sum + size, 0);
    const isMany = this.#size > this.#maxRecent && own * this.#streams.size >= this.#maxRecent;
    if (isMany || recent.moving) this.#move(stream, recent);
    return removed === STEP || old === STEP || recent.moving !== undefined;
  }

  /** Moves ids of the oldest table: more than a commit adds, so that they become fewer. */
  #move(stream: StreamRecord, recent: RecentIds): void {
    const { id, settings: { dedupMs } } = stream;
    const table = recent.moving ??= recent.tables[0]!;
    const enough = Math.max(STEP, 2 * recent.fresh.size);
    for (let moved = 0; moved < enough;) {
      const row = this.#statements.row<LogRow>(
        "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last > ? AND last <= ? " +
          "ORDER BY last LIMIT 1",
        id,
        recent.dropped,
        table.last,
      );
      if (row === undefined) {
        // What this commit moves may still be taken back.
        if (moved === 0) this.#dropOldest(recent);
        return;
      }
      const [last, time, ids] = row;
      for (const [each, seq] of pairsOf(ids)) {
        this.#statements.run(
          "INSERT OR REPLACE INTO message_id VALUES (?, ?, ?, ?, ?)",
          id,
          bucketOf(time, dedupMs),
          each,
          seq,
          time,
        );
        moved++;
      }
      this.#statements.run("DELETE FROM recent_id WHERE stream = ? AND last = ?", id, last);
      recent.movedUntil = time;
    }
  }

  #findMoved({ id: stream, settings }: StreamRecord, id: string, time: number): number | undefined {
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

  /** Whether the log has the id as that of a message, within the window. */
  #isOf({ id: stream, settings }: StreamRecord, id: string, seq: number, time: number): boolean {
    const row = this.#statements.row<LogRow>(
      "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last >= ? ORDER BY last LIMIT 1",
      stream,
      seq,
    );
    if (row === undefined || time - row[1] >= settings.dedupMs) return false;
    return pairsOf(row[2]).some(([known, itsSeq]) => itsSeq === seq && known === id);
  }

  #add(
    { tables, moving }: RecentIds,
    pairs: Iterable<readonly [id: string, seq: number]>,
    time: number,
    dedupMs: number,
  ): void {
    let table = tables.at(-1);
    for (const [id, seq] of pairs) {
      // A table goes as a whole once the last of it is out of the window.
      if (!table || table === moving || table.isFull || time - table.since > dedupMs / 2) {
        tables.push(table = new IdTable(time));
      }
      table.add(hashOf(id), seq, time);
      this.#size++;
    }
  }

  #dropOldest(recent: RecentIds): void {
    const table = recent.tables.shift();
    if (table === undefined) return;
    this.#size -= table.size;
    recent.dropped = Math.max(recent.dropped, table.last);
    if (recent.moving === table) recent.moving = undefined;
  }

  #of(stream: StreamRecord): RecentIds {
    if (!this.#streams.has(stream.id)) this.load(stream);
    return this.#streams.get(stream.id)!;
  }
}

function pairsOf(ids: string): readonly (readonly [id: string, seq: number])[] {
  return JSON.parse(ids);
}

function bucketOf(time: number, windowMs: number): number {
  return Math.floor(time / windowMs);
}
