import { type Frame, FrameDecoder } from "../../../../frame/mod.ts";
import { DEAD_LETTERS } from "../dead_letter.ts";
import { newStreamSettings } from "../stream_settings.ts";
import { checksumOf } from "./checksum.ts";
import type { ConsumerRow } from "./consumer_record.ts";
import type { JournalContent } from "./journal/reading.ts";
import { messageIdOf } from "./publication_list.ts";
import { encodeEnds } from "./run_frames.ts";
import { readableRows, rowsAround } from "./salvage.ts";
import { CONSUMERS, isObject, RECENT_IDS, RETAINED } from "./small_rows.ts";
import type { SqlValue, Statements } from "./statements.ts";

/** Tables whose rows are copied as they are. */
const COPIED = [RETAINED, RECENT_IDS, {
  name: "message_id",
  columns: "stream, bucket, id, seq, time",
  key: ["stream", "bucket", "id"],
  kinds: "nntnn",
  what: "message ids",
  isWhole: () => true,
}];

/** Sentences about what is lost. */
const MAX_LOST = 100;

type StreamRow = readonly [id: number, name: string, settings: string, floor: number, next: number];
type RunRow = readonly [
  id: number,
  stream: number,
  first: number,
  count: number,
  time: number,
  crc: number,
  frames: Uint8Array,
];

/** What is known of a stream that is being copied. */
class RescuedStream {
  count = 0;
  bytes = 0;
  time = 0;
  /** The number behind the last run, and that of the next message. */
  runsEnd = 1;
  end = 1;
  readonly last: Map<string, number> = new Map();
  readonly id: number;
  readonly floor: number;
  /** The number of the first message of which the other tables may not tell. */
  readonly saved: number;
  readonly isListed: boolean;

  constructor(id: number, floor: number, saved: number, isListed: boolean) {
    this.id = id;
    this.floor = floor;
    this.end = this.saved = saved;
    this.isListed = isListed;
  }
}

/** What there is besides a database, and who is told how much is copied. */
export interface RescueSource {
  /** What the journal has that the database lacks. */
  readonly journal: JournalContent;
  /** Whether there is no database, only a journal. */
  readonly isBare: boolean;
  /** Is called for each row, with how many messages are copied. */
  readonly onRun: (messages: number) => void;
}

/**
 * Copies what can be read of a damaged store, and has the right checksum, into a new database, row by
 * row; and notes what is lost.
 */
export class Rescuer {
  readonly #lost = new Set<string>();
  readonly #from: Statements;
  readonly #to: Statements;
  readonly #journal: JournalContent;
  readonly #isBare: boolean;
  readonly #onRun: RescueSource["onRun"];
  readonly #streams = new Map<number, RescuedStream>();
  #messages = 0;

  constructor(from: Statements, to: Statements, { journal, isBare, onRun }: RescueSource) {
    this.#isBare = isBare;
    this.#onRun = onRun;
    this.#from = from;
    this.#to = to;
    this.#journal = journal;
  }

  /** What is lost, the first hundred things. */
  get lost(): string[] {
    return [...this.#lost];
  }

  /** Copies all. Called within a transaction of the new database. */
  run(): void {
    if (this.#isBare) this.#lose("all that only the database and its log had");
    this.#rescueStreams();
    this.#rescueRuns();
    this.#rescueConsumers();
    this.#rescueTables();
  }

  #rescueStreams(): void {
    const columns = "id, name, settings, floor, next";
    const onLost = () => this.#lose("settings of streams cannot be read");
    for (const row of readableRows<StreamRow>(this.#from, "stream", columns, "nttnn", onLost)) {
      if (isObject(row[2])) this.#addStream(row);
      else onLost();
    }
  }

  #addStream([id, name, settings, floor, next]: StreamRow): RescuedStream {
    this.#to.run(
      "INSERT INTO stream VALUES (?, ?, ?, ?, ?, 0, 0, 0)",
      id,
      name,
      settings,
      floor,
      next,
    );
    const isListed = name === DEAD_LETTERS || "maxPerTopic" in JSON.parse(settings);
    const stream = new RescuedStream(id, floor, next, isListed);
    this.#streams.set(id, stream);
    return stream;
  }

  #rescueRuns(): void {
    const doomed = new Set(
      rowsAround<[number]>(this.#from, "SELECT stream FROM doomed", "stream", "n", () => {})
        .map(([id]) => id),
    );
    const columns = "id, stream, first, count, time, crc, frames";
    const onLost = () => this.#lose("messages cannot be read");
    for (const run of readableRows<RunRow>(this.#from, "run", columns, "nnnnnnb", onLost)) {
      const [, id, first, count] = run;
      if (doomed.has(id)) continue;
      const stream = this.#streams.get(id) ?? this.#strayStream(id);
      if (!this.#rescueRun(stream, run, true)) {
        const name = this.#nameOf(id);
        this.#lose(`stream ${name}, messages ${first} to ${first + count - 1}: not as written`);
      }
    }
    this.#rescueJournal();
    for (const { id, count, bytes, time, end } of this.#streams.values()) {
      this.#to.run(
        "UPDATE stream SET count = ?, bytes = ?, time = ?, next = ? WHERE id = ?",
        ...[count, bytes, time, end, id],
      );
    }
  }

  /** Those behind a place that is damaged too: numbers are missing between. */
  #rescueJournal(): void {
    const { records, behind, damage } = this.#journal;
    if (damage !== undefined) this.#lose("messages of the last second, out of the journal");
    let [lastId] = this.#to.row<[number]>("SELECT coalesce(max(id), 0) FROM run")!;
    for (const { stream: id, first, count, time, crc, frames } of [...records, ...behind]) {
      const stream = this.#streams.get(id) ?? (this.#isBare ? this.#strayStream(id) : undefined);
      if (stream === undefined || first < stream.saved) continue;
      this.#rescueRun(stream, [++lastId, id, first, count, time, crc, frames], false);
    }
  }

  /**
   * @param hasMarks Whether there may be marks of which messages of the run are gone. A record of the
   * journal has none: marks with the id that it gets here belong to another row, which is lost.
   * @returns whether it is whole.
   */
  #rescueRun(stream: RescuedStream, run: RunRow, hasMarks: boolean): boolean {
    const [id, , first, count, time, crc, bytes] = run;
    if (checksumOf(bytes) !== crc || first < 1 || first < stream.runsEnd) return false;
    const { frames } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
    if (frames.length !== count) return false;
    this.#onRun(this.#messages += count);
    this.#to.run(
      "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[id, stream.id, first, count, time, bytes.length, crc, bytes],
      encodeEnds(frames.map(({ end }) => end)),
    );
    const gone = hasMarks ? this.#goneOf(id) : undefined;
    let [goneCount, goneBytes] = [0, 0];
    frames.forEach(({ header, start, end }, i) => {
      const topic = header["topic"] as string;
      const isGone = gone !== undefined && (gone[i >> 3]! & (1 << (i & 7))) !== 0;
      stream.last.set(topic, first + i);
      if (isGone) {
        goneCount++;
        goneBytes += end - start;
      } else if (first + i >= stream.floor) {
        stream.count++;
        stream.bytes += end - start;
        if (!stream.isListed) return;
        this.#to.run("INSERT INTO kept VALUES (?, ?, ?)", stream.id, first + i, topic);
      }
    });
    if (gone && goneCount > 0) {
      this.#to.run("INSERT INTO gone VALUES (?, ?, ?, ?)", id, goneCount, goneBytes, gone);
    }
    for (const [topic, last] of stream.last) {
      this.#to.run("INSERT OR REPLACE INTO topic VALUES (?, ?, ?)", stream.id, topic, last);
    }
    stream.last.clear();
    if (first >= stream.saved) this.#rescueIds(stream, first, time, frames);
    stream.runsEnd = first + count;
    stream.end = Math.max(stream.end, stream.runsEnd);
    stream.time = Math.max(stream.time, time);
    return true;
  }

  /** Notes the ids of messages that were not written elsewhere yet. */
  #rescueIds(stream: RescuedStream, first: number, time: number, frames: readonly Frame[]): void {
    const ids = frames.map(({ header }, i) => [messageIdOf(header), first + i] as const)
      .filter(([id]) => id !== "");
    if (ids.length === 0) return;
    const row = [stream.id, ids.at(-1)![1], time, JSON.stringify(ids)];
    this.#to.run("INSERT OR REPLACE INTO recent_id VALUES (?, ?, ?, ?)", ...row);
  }

  #goneOf(run: number): Uint8Array | undefined {
    try {
      const bits = this.#from.row<[Uint8Array]>("SELECT bits FROM gone WHERE run = ?", run)?.[0];
      if (bits === undefined || bits instanceof Uint8Array) return bits;
      throw new TypeError("It is no bytes");
    } catch {
      this.#lose(`what was dropped out of the middle of the row ${run} is there again`);
      return undefined;
    }
  }

  /** A stream of which only messages are left. */
  #strayStream(id: number): RescuedStream {
    const name = `recovered_${id}`;
    this.#lose(`the name and the settings of a stream: its messages are in ${name}`);
    const settings = JSON.stringify(
      newStreamSettings([`${name}.>`]),
      (_, value) => value === Infinity ? undefined : value,
    );
    return this.#addStream([id, name, settings, 1, 1]);
  }

  #rescueConsumers(): void {
    const { name, columns, kinds, isWhole } = CONSUMERS;
    const onLost = () => this.#lose("consumers cannot be read");
    for (const row of readableRows<ConsumerRow>(this.#from, name, columns, kinds, onLost)) {
      if (!isWhole(row)) onLost();
      else if (this.#streams.has(row[1])) {
        this.#to.run("INSERT INTO consumer VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
      }
    }
  }

  #rescueTables(): void {
    for (const { name: table, columns, key, kinds, what, isWhole } of COPIED) {
      const onLost = () => this.#lose(`${what} cannot be read, or not all`);
      const select = `SELECT ${columns} FROM ${table}`;
      const order = key.join(", ");
      for (const row of rowsAround<SqlValue[]>(this.#from, select, order, kinds, onLost)) {
        if (!isWhole(row)) {
          onLost();
          continue;
        }
        const places = row.map(() => "?").join();
        this.#to.run(`INSERT OR REPLACE INTO ${table} VALUES (${places})`, ...row);
      }
    }
    const counters = rowsAround<[string, number]>(
      this.#from,
      "SELECT * FROM counter",
      "name",
      "tn",
      () => {},
    );
    const known = counters.find(([name]) => name === "delivery")?.[1];
    // Numbers of deliveries are never used again: those that nobody knows any more were smaller.
    this.#to.run("INSERT INTO counter VALUES ('delivery', ?)", known ?? Date.now() * 1_000);
  }

  #lose(what: string): void {
    if (this.#lost.size < MAX_LOST) this.#lost.add(what);
  }

  #nameOf(id: number): string {
    return this.#to.row<[string]>("SELECT name FROM stream WHERE id = ?", id)?.[0] ?? `${id}`;
  }
}
