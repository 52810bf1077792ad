import { IdList } from "./id_list.ts";
import { hashOf, type IdHash, IdTable } from "./id_table.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/** Rows that are removed in one go, ids that are moved, and the most ids in a row of the log. */
const STEP = 500;

/** Ids of all streams whose hashes are in memory: 16 to 32 MiB. */
const MAX_RECENT = 524_288;

/** The recent ids of one stream. */
interface RecentIds {
  /** Those that are not in the log yet. */
  readonly unsaved: IdList;
  /** How many of these are of commits before; the others are of the one that is being made. */
  committed: number;
  /** Whether the commit that is being made has put all of them there. */
  isSaving: boolean;
  /** Where all may be, the oldest first. */
  readonly tables: IdTable[];
  /** The table whose ids are being moved. */
  moving: IdTable | undefined;
  /** When the last of those was stored that were moved. */
  movedUntil: number;
  /** Rows of the log up to this number are out of the window. */
  dropped: number;
  /** Whether the tables have what the log had at the start. That is read when it is first asked for. */
  isLoaded: boolean;
  /** Rows of the log up to this number are read. */
  loaded: number;
}

/** An id, the number of its message, and when that was stored. */
type RecentId = readonly [id: string, seq: number, time: number];

/** A row of the log: ids with their numbers, and where it differs, how long before `time` they came. */
type LogRow = readonly [last: number, time: number, ids: string];

/**
 * The message ids that streams remember.
 *
 * Ids are written, many in a row, at the end of a log, so that this changes few pages whatever they
 * look like; of those that are there only hashes are in memory. Where that becomes too much, the oldest ids are
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
  /** The id that was looked for last: it is added next, unless it was found. */
  #hashedId: string | undefined;
  #hash: IdHash = { place: 0, check: 1 };

  /** Over the connection that writes. @param maxRecent Ids whose hashes are in memory at most. */
  constructor(statements: Statements, maxRecent: number = MAX_RECENT) {
    this.#statements = statements;
    this.#maxRecent = maxRecent;
  }

  /** Forgets a stream. @returns What takes this back. */
  forget(stream: StreamRecord): () => void {
    const recent = this.#streams.get(stream.id);
    if (recent === undefined) return () => {};
    const sizeOf = () => recent.tables.reduce((sum, { size }) => sum + size, 0);
    this.#size -= sizeOf();
    this.#streams.delete(stream.id);
    this.#changed.delete(stream);
    return () => {
      this.#size += sizeOf();
      this.#takeBack(recent);
      this.#streams.set(stream.id, recent);
    };
  }

  /** Whether ids of a stream can be looked for at once. */
  isLoaded(stream: StreamRecord): boolean {
    return this.#streams.get(stream.id)?.isLoaded === true;
  }

  /**
   * Reads ids that were stored before the start, at most this many. Must not be called within a commit,
   * which might be rolled back.
   *
   * @returns how many were read.
   */
  load(stream: StreamRecord, most: number): number {
    const recent = this.#of(stream);
    const { id, settings: { dedupMs } } = stream;
    let count = 0;
    while (!recent.isLoaded && count < most) {
      const row = this.#statements.row<LogRow>(
        "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last > ? ORDER BY last LIMIT 1",
        id,
        Math.max(recent.loaded, recent.dropped),
      );
      if (row) {
        const ids = idsOf(row);
        for (const [each, seq, time] of ids) this.#add(recent, hashOf(each), seq, time, dedupMs);
        count += ids.length;
        recent.loaded = row[0];
      } else {
        const { unsaved } = recent;
        for (let i = 0; i < unsaved.length; i++) {
          this.#add(recent, hashOf(unsaved.idAt(i)), unsaved.seqAt(i), unsaved.timeAt(i), dedupMs);
        }
        recent.isLoaded = true;
      }
    }
    return count;
  }

  /** The number of the message that was stored with an id within the window; `undefined` if none. */
  find(stream: StreamRecord, id: string, time: number): number | undefined {
    const recent = this.#of(stream);
    if (!recent.isLoaded) this.load(stream, Infinity);
    const { tables, movedUntil } = recent;
    const { dedupMs } = stream.settings;
    const hash = this.#hash = hashOf(id);
    this.#hashedId = id;
    for (let i = tables.length - 1; i >= 0; i--) {
      const table = tables[i]!;
      for (let at = table.find(hash); at >= 0; at = table.find(hash, at + 1)) {
        const each = table.seqAt(at);
        if (this.#isOf(stream, id, each, time)) return each;
      }
    }
    return time - movedUntil < dedupMs ? this.#findMoved(stream, id, time) : undefined;
  }

  /** Remembers an id. All of one commit have the same time. */
  add(stream: StreamRecord, id: string, seq: number, time: number): void {
    const recent = this.#of(stream);
    if (recent.isLoaded) {
      const hash = id === this.#hashedId ? this.#hash : hashOf(id);
      this.#add(recent, hash, seq, time, stream.settings.dedupMs);
    }
    recent.unsaved.add(id, seq, time);
    this.#changed.set(stream, recent);
  }

  /** Writes those of a stream that are not in the log. */
  save(stream: StreamRecord): void {
    const recent = this.#of(stream);
    const { unsaved } = recent;
    for (let first = 0; first < unsaved.length; first += STEP) {
      const end = Math.min(first + STEP, unsaved.length);
      const time = unsaved.timeAt(end - 1);
      const ids = unsaved.idsIn(first, end).map((id, i): LogEntry => {
        const before = time - unsaved.timeAt(first + i);
        const seq = unsaved.seqAt(first + i);
        return before === 0 ? [id, seq] : [id, seq, before];
      });
      this.#statements.run(
        "INSERT OR REPLACE INTO recent_id VALUES (?, ?, ?, ?)",
        stream.id,
        unsaved.seqAt(end - 1),
        time,
        JSON.stringify(ids),
      );
    }
    if (unsaved.length === 0) return;
    recent.isSaving = true;
    this.#changed.set(stream, recent);
  }

  /** What was written is committed. */
  committed(): void {
    for (const recent of this.#changed.values()) {
      if (recent.isSaving) recent.unsaved.truncate(0);
      recent.isSaving = false;
      recent.committed = recent.unsaved.length;
    }
    this.#changed.clear();
  }

  /** Takes back what was added since the last commit. */
  rollBack(): void {
    for (const recent of this.#changed.values()) this.#takeBack(recent);
    this.#changed.clear();
  }

  /**
   * Removes some that are out of the window, and moves some where there are too many of all streams.
   * Called within a commit.
   *
   * @param moves Whether some may be moved, which takes room.
   * @returns whether there may be more to do.
   */
  tidy(stream: StreamRecord, time: number, moves = true): boolean {
    const { id, settings: { dedupMs } } = stream;
    const recent = this.#of(stream);
    const { tables } = recent;
    if (!recent.isLoaded) {
      recent.dropped = Math.max(recent.dropped, this.#droppedOf(stream, time));
    }
    while (tables.length > 0 && time - tables[0]!.until >= dedupMs) this.#dropOldest(recent);
    const removed = recent.dropped === 0 ? 0 : this.#statements.run(
      "DELETE FROM recent_id WHERE (stream, last) IN (SELECT stream, last FROM recent_id " +
        "WHERE stream = ? AND last <= ? ORDER BY last LIMIT +?)",
      id,
      recent.dropped,
      STEP,
    );
    const old = recent.movedUntil === -Infinity ? 0 : this.#statements.run(
      "DELETE FROM message_id WHERE (stream, bucket, id) IN (SELECT stream, bucket, id " +
        "FROM message_id WHERE stream = ? AND bucket < ? LIMIT +?)",
      id,
      bucketOf(time, dedupMs) - 1,
      STEP,
    );
    const own = tables.reduce((sum, { size }) => sum + size, 0);
    const isMany = this.#size > this.#maxRecent && own * this.#streams.size >= this.#maxRecent;
    if (moves && (isMany || recent.moving)) this.#move(stream, recent);
    return removed === STEP || old === STEP || moves && recent.moving !== undefined;
  }

  /** Moves ids of the oldest table: more than a commit adds, so that they become fewer. */
  #move(stream: StreamRecord, recent: RecentIds): void {
    const { id, settings: { dedupMs } } = stream;
    const table = recent.moving ??= recent.tables[0]!;
    if (recent.unsaved.length > 0 && recent.unsaved.seqAt(0) <= table.last) {
      // They are moved out of the log, so they have to be there first.
      stream.touch();
      return;
    }
    const enough = Math.max(STEP, 2 * (recent.unsaved.length - recent.committed));
    for (let moved = 0; moved < enough;) {
      const row = this.#statements.row<LogRow>(
        "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last > ? ORDER BY last LIMIT 1",
        id,
        recent.dropped,
      );
      const ids = row ? idsOf(row) : [];
      // The last row of the table may have ids of the next one too.
      if (row === undefined || ids[0]![1] > table.last) {
        // What this commit moves may still be taken back.
        if (moved === 0) this.#dropOldest(recent);
        return;
      }
      const [last] = row;
      for (const [each, seq, time] of ids) {
        this.#statements.run(
          "INSERT OR REPLACE INTO message_id VALUES (?, ?, ?, ?, ?)",
          id,
          bucketOf(time, dedupMs),
          each,
          seq,
          time,
        );
        moved++;
        recent.movedUntil = time;
      }
      this.#statements.run("DELETE FROM recent_id WHERE stream = ? AND last = ?", id, last);
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

  /** Whether an id is that of a message, within the window. */
  #isOf({ id: stream, settings }: StreamRecord, id: string, seq: number, time: number): boolean {
    const { unsaved } = this.#streams.get(stream)!;
    if (unsaved.length > 0 && unsaved.seqAt(0) <= seq) {
      const index = unsaved.indexOf(seq);
      return index >= 0 && time - unsaved.timeAt(index) < settings.dedupMs &&
        unsaved.idAt(index) === id;
    }
    const row = this.#statements.row<LogRow>(
      "SELECT last, time, ids FROM recent_id WHERE stream = ? AND last >= ? ORDER BY last LIMIT 1",
      stream,
      seq,
    );
    const found = findSeq(row ? idsOf(row) : [], seq);
    return found !== undefined && found[0] === id && time - found[2] < settings.dedupMs;
  }

  #add({ tables, moving }: RecentIds, hash: IdHash, seq: number, time: number, dedupMs: number) {
    let table = tables.at(-1);
    // A table goes as a whole once the last of it is out of the window.
    if (!table || table === moving || table.isFull || time - table.since > dedupMs / 2) {
      tables.push(table = new IdTable(time));
    }
    table.add(hash, seq, time);
    this.#size++;
  }

  /** Forgets what the commit that is being made has added. */
  #takeBack(recent: RecentIds): void {
    const { unsaved, committed, tables } = recent;
    recent.isSaving = false;
    const first = unsaved.seqAt(committed);
    // They are the last that were added.
    for (let left = recent.isLoaded ? unsaved.length - committed : 0; left > 0;) {
      const table = tables.at(-1)!;
      const removed = table.removeFrom(first);
      this.#size -= removed;
      left -= removed;
      if (table.size > 0) break;
      tables.pop();
    }
    unsaved.truncate(committed);
  }

  #dropOldest(recent: RecentIds): void {
    const table = recent.tables.shift();
    if (table === undefined) return;
    this.#size -= table.size;
    recent.dropped = Math.max(recent.dropped, table.last);
    if (recent.moving === table) recent.moving = undefined;
  }

  #of(stream: StreamRecord): RecentIds {
    const { id, time } = stream;
    const known = this.#streams.get(id);
    if (known) return known;
    const isMoved = this.#statements.row("SELECT 1 FROM message_id WHERE stream = ? LIMIT 1", id);
    const recent: RecentIds = {
      unsaved: new IdList(),
      committed: 0,
      isSaving: false,
      tables: [],
      moving: undefined,
      movedUntil: isMoved ? time : -Infinity,
      dropped: this.#droppedOf(stream, time),
      isLoaded: false,
      loaded: 0,
    };
    this.#streams.set(id, recent);
    return recent;
  }

  /** The last number in the rows of the log that are out of the window; 0 if there is none. */
  #droppedOf({ id, settings: { dedupMs } }: StreamRecord, time: number): number {
    return this.#statements.row<[number]>(
      "SELECT coalesce(max(last), 0) FROM recent_id WHERE stream = ? AND time <= ?",
      id,
      time - dedupMs,
    )![0];
  }
}

/** The id of a message among some that are in the order of their numbers. */
function findSeq(ids: readonly RecentId[], seq: number): RecentId | undefined {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ids[middle]![1] < seq) low = middle + 1;
    else high = middle;
  }
  return ids[low]?.[1] === seq ? ids[low] : undefined;
}

/** What a row of the log has of an id; how long before the row's time it came is left out if it did not. */
type LogEntry = readonly [id: string, seq: number, before?: number];

/** The ids in a row of the log; `undefined` if that is not as it was written. */
export function readIdLog(text: string): readonly LogEntry[] | undefined {
  try {
    const all: unknown = JSON.parse(text);
    return Array.isArray(all) && all.every(isLogEntry) ? all : undefined;
  } catch {
    return undefined;
  }
}

function isLogEntry(entry: unknown): entry is LogEntry {
  return Array.isArray(entry) && typeof entry[0] === "string" && Number.isSafeInteger(entry[1]) &&
    (entry.length === 2 || entry.length === 3 && Number.isSafeInteger(entry[2]));
}

function idsOf([, time, ids]: LogRow): RecentId[] {
  const all = readIdLog(ids);
  if (all === undefined) {
    throw new Error("message ids in it are damaged; 'socktool stream verify' tells what is broken");
  }
  return all.map(([id, seq, before = 0]) => [id, seq, time - before]);
}

function bucketOf(time: number, windowMs: number): number {
  return Math.floor(time / windowMs);
}
