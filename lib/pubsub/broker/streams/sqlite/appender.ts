import { quote } from "../../../protocol/quote.ts";
import { StreamError } from "../stream_error.ts";
import { checksumOf } from "./checksum.ts";
import type { GoneTable } from "./gone_table.ts";
import { MessageIds } from "./message_ids.ts";
import type { NewMessage } from "./publication_list.ts";
import { encodeEnds } from "./run_frames.ts";
import type { Journal } from "./journal/journal.ts";
import { RUN_BYTES } from "./schema.ts";
import type { Statements } from "./statements.ts";
import type { JournaledRun, StreamRecord } from "./stream_record.ts";

/** How many messages of a topic are marked as gone before the next ones are looked up. */
const TRIM_ROWS = 100;

/** Numbers of rows that are reserved by one write. */
const RESERVED_IDS = 1_000;

const INSERT_RUN = "INSERT INTO run (id, stream, first, count, time, bytes, crc, frames, ends) " +
  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

/** Puts publications at the end of streams: many into one row. */
export class Appender {
  /** The message ids that are remembered. */
  readonly messageIds: MessageIds;
  /** Where runs go that are full, instead of into a row; of the commit that is being made. */
  journal: Journal | undefined;
  readonly #statements: Statements;
  readonly #gone: GoneTable;
  /** The id of the last row, and the largest that the database knows to be in use. */
  #lastId = 0;
  #reservedId = 0;

  /** Over the connection that writes. */
  constructor(statements: Statements, gone: GoneTable, recentIds?: number) {
    this.#statements = statements;
    this.#gone = gone;
    this.messageIds = new MessageIds(statements, recentIds);
  }

  /**
   * Appends a publication; its bytes are copied.
   *
   * @param now The time, in milliseconds since 1970.
   * @returns its number; negative if it was stored before.
   * @throws {StreamError} `stream-full`, `wrong-seq`; the stream is as it was then.
   */
  append(
    stream: StreamRecord,
    { bytes, topic, messageId, expected }: NewMessage,
    now: number,
  ): number {
    const time = stream.timeAt(now);
    if (messageId !== "") {
      const seq = this.messageIds.find(stream, messageId, time);
      if (seq !== undefined) return -seq;
    }
    if (expected >= 0) this.#expect(stream, topic, expected);
    const { openRun, settings } = stream;
    if (settings.full === "refuse") refuseFull(stream, bytes.length);
    // All messages of a run have one time.
    const isFull = openRun.frames.length + bytes.length > RUN_BYTES;
    if (openRun.count > 0 && (isFull || time !== stream.time)) this.flush(stream);
    const seq = stream.append(bytes, topic, time);
    if (messageId !== "") this.messageIds.add(stream, messageId, seq, time);
    return seq;
  }

  /** Writes what the journal has of a stream, and no row yet. */
  writeRows(stream: StreamRecord): void {
    if (stream.journaled.length === 0) return;
    stream.rowsWritten();
    for (const run of stream.journaled) this.#insert(stream.id, run);
  }

  /** Writes the run that is being filled, if there is one. */
  flush(stream: StreamRecord): void {
    const { id, openRun, next, time } = stream;
    const { count, topics } = openRun;
    if (count === 0) return;
    const frames = openRun.frames.view();
    const ends = encodeEnds(openRun.ends);
    const first = next - count;
    const run = { first, count, time, crc: checksumOf(frames), frames, ends };
    if (this.journal) {
      const kept = this.journal.add({ stream: id, ...run });
      stream.journaled.push({ ...run, frames: kept });
      return openRun.clear();
    }
    this.#insert(id, run);
    topics.forEach((topic, i) =>
      this.#statements.run("INSERT INTO kept VALUES (?, ?, ?)", id, first + i, topic)
    );
    const changed = new Set(topics);
    openRun.clear();
    if (stream.settings.maxPerTopic !== Infinity) {
      for (const topic of changed) this.#trim(stream, topic);
    }
  }

  /** The number of a topic's last message; 0 if there is none, or it was dropped or purged. */
  lastOf(stream: StreamRecord, topic: string): number {
    const last = stream.lastTopics.find(topic) ??
      this.#statements.row<[number]>(
        "SELECT last FROM topic WHERE stream = ? AND topic = ?",
        stream.id,
        topic,
      )?.[0];
    if (last === undefined || last < stream.floor) return 0;
    // Acknowledged messages are gone, and count all the same: whether this one is, is not known.
    if (stream.settings.keep === "until-acked" || last >= stream.rowsEnd) return last;
    return this.#gone.has(stream, last) ? last : 0;
  }

  /** Looks up anew which ids are in use: the commit that reserved them may have failed. */
  rollBack(): void {
    this.messageIds.rollBack();
    this.#reservedId = 0;
  }

  #insert(stream: number, { first, count, time, crc, frames, ends }: JournaledRun): void {
    const about = [this.#nextId(), stream, first, count, time, frames.length, crc];
    this.#statements.run(INSERT_RUN, ...about, frames, ends);
  }

  /**
   * The id of a new row, which none ever had. SQLite would write the largest one down with each row,
   * which changes one page more in each commit.
   */
  #nextId(): number {
    if (this.#lastId >= this.#reservedId) {
      const [known] = this.#statements.row<[number]>(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'run'",
      )!;
      this.#lastId = Math.max(this.#lastId, known);
      this.#reservedId = this.#lastId + RESERVED_IDS;
      const changed = this.#statements.run(
        "UPDATE sqlite_sequence SET seq = ? WHERE name = 'run'",
        this.#reservedId,
      );
      if (changed === 0) {
        this.#statements.run("INSERT INTO sqlite_sequence VALUES ('run', ?)", this.#reservedId);
      }
    }
    return ++this.#lastId;
  }

  #expect(stream: StreamRecord, topic: string, expected: number): void {
    const last = this.lastOf(stream, topic);
    if (last === expected) return;
    const message = `The last seq of ${quote(topic)} is ${last}, not ${expected}`;
    throw new StreamError("wrong-seq", message);
  }

  /** Marks the oldest messages of a topic as gone, until it has as many as it may. */
  #trim(stream: StreamRecord, topic: string): void {
    const { id, settings: { maxPerTopic }, floor } = stream;
    while (true) {
      const rows = this.#statements.rows<[number]>(
        "SELECT seq FROM kept WHERE stream = ? AND topic = ? ORDER BY seq DESC LIMIT +? OFFSET ?",
        id,
        topic,
        TRIM_ROWS,
        maxPerTopic,
      );
      for (const [seq] of rows) {
        if (seq >= floor) this.#gone.mark(stream, seq);
        this.#statements.run("DELETE FROM kept WHERE stream = ? AND seq = ?", id, seq);
      }
      if (rows.length < TRIM_ROWS) return;
    }
  }
}

function refuseFull({ name, count, bytes, settings }: StreamRecord, more: number): void {
  const { maxCount, maxBytes } = settings;
  const limit = count + 1 > maxCount
    ? `${maxCount} messages`
    : bytes + more > maxBytes
    ? `${maxBytes} bytes`
    : undefined;
  if (limit === undefined) return;
  const message = `The stream ${name} is full: it may hold ${limit}. Purge it, or raise its limit`;
  throw new StreamError("stream-full", message);
}
