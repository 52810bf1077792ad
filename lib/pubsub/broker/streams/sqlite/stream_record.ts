import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { DEAD_LETTERS } from "../dead_letter.ts";
import type { StreamSettings } from "../stream_store.ts";
import { LastTopics } from "./last_topics.ts";
import type { Appended, WrittenFigures } from "./orders.ts";
import type { Statements } from "./statements.ts";

/** The part of a stream that changes with its messages. */
interface State {
  readonly settings: StreamSettings;
  readonly floor: number;
  readonly next: number;
  readonly count: number;
  readonly bytes: number;
  readonly time: number;
}

type StreamRow = readonly [
  id: number,
  name: string,
  settings: string,
  floor: number,
  next: number,
  count: number,
  bytes: number,
  time: number,
];

const LOAD = "SELECT id, name, settings, floor, next, count, bytes, time FROM stream ORDER BY id";
const SAVE =
  "UPDATE stream SET settings = ?, floor = ?, next = ?, count = ?, bytes = ?, time = ? WHERE id = ?";

/** What a start after a crash finds out from the messages is written at these amounts, or when this old. */
const MAX_UNSAVED_BYTES = 4_194_304;
const MAX_UNSAVED = 10_000;
const SAVE_MS = 1_000;

/** What is written about a message: its topic, which is there twice, and its id. They are in its frame. */
const MAX_ABOUT_BYTES = 900;

/** Messages that are in the journal, and not in a row yet. */
export interface JournaledRun {
  readonly first: number;
  readonly count: number;
  readonly time: number;
  readonly crc: number;
  readonly frames: Uint8Array;
  /** Where each frame ends, as a row has it. */
  readonly ends: Uint8Array;
}

/** The messages of a stream that are not written yet: the run that is being filled. */
export class OpenRun {
  /** Their frames. */
  readonly frames: ByteBuffer = new ByteBuffer();
  /** Where each of them ends. */
  readonly ends: number[] = [];
  /** The topics of the messages in their order, where the stream has to list them. */
  readonly topics: string[] = [];

  /** How many there are. */
  get count(): number {
    return this.ends.length;
  }

  /** Begins anew. */
  clear(): void {
    this.frames.clear();
    this.ends.length = 0;
    this.topics.length = 0;
  }
}

/**
 * A stream as its writer knows it.
 *
 * What appending changes of it, its last topics and its message ids are not written in each commit:
 * that would change more pages than the messages themselves. After a crash they are found out from
 * the messages behind the `next` that its row has.
 */
export class StreamRecord {
  /** Names it in the tables; never used again for another. */
  readonly id: number;
  readonly name: string;
  settings: StreamSettings;
  /** Messages with smaller numbers were dropped by limits or purged. */
  floor: number;
  /** The number of the next message. */
  next: number;
  /** How many messages are kept. */
  count: number;
  /** The bytes of their frames. */
  bytes: number;
  /**
   * The time of the last message. The next one's time is never before it, whatever the clock says.
   */
  time: number;
  /** What came since the last run was written. */
  readonly openRun: OpenRun = new OpenRun();
  /** What the journal has and no row, in the order of the numbers. */
  journaled: JournaledRun[] = [];
  readonly lastTopics: LastTopics = new LastTopics();
  /** How many runs the journal had of that before the commit that is being made. */
  #journaledBefore = 0;
  #areRowsWritten = false;
  /** How many messages, and bytes of them, its row does not count, at least. */
  #unsaved = 0;
  #unsavedBytes = 0;
  #savedAt = 0;
  /** How far the clock was set back. */
  #setBackMs = 0;
  #mustSave = false;
  #isSaving = false;
  #before: State | undefined;

  /** As a row of the table tells it. */
  constructor([id, name, settings, floor, next, count, bytes, time]: StreamRow) {
    this.id = id;
    this.name = name;
    this.settings = settingsOf(settings);
    this.floor = floor;
    this.next = next;
    this.count = count;
    this.bytes = bytes;
    this.time = time;
  }

  /** Whether its messages are listed one by one. */
  get listed(): boolean {
    return this.settings.maxPerTopic !== Infinity || this.name === DEAD_LETTERS;
  }

  /** Whether it was changed since the last commit. */
  get changed(): boolean {
    return this.#before !== undefined;
  }

  /** Whether its row is as it is. */
  get isSaved(): boolean {
    return this.#unsaved === 0;
  }

  /** What its row, its topics and its message ids take at most that are not written. */
  get unsavedBytes(): number {
    return Math.min(this.#unsaved * MAX_ABOUT_BYTES, 2 * this.#unsavedBytes);
  }

  /** The number of the first message that no row has; `next` if there is none. */
  get rowsEnd(): number {
    return this.journaled[0]?.first ?? this.next - this.openRun.count;
  }

  /**
   * What the time is for this stream. It goes on from that of the last message where the clock was set
   * back: else nothing would become too old until the clock is there again.
   */
  timeAt(now: number): number {
    if (now >= this.time) this.#setBackMs = 0;
    else this.#setBackMs = Math.max(this.#setBackMs, this.time - now);
    return now + this.#setBackMs;
  }

  /** Rows are written of what the journal has; this may be taken back. */
  rowsWritten(): void {
    this.#remember();
    this.#areRowsWritten = true;
  }

  /** Must be called before any change other than that a message is appended. */
  touch(): void {
    this.#mustSave = true;
    this.#remember();
  }

  /** Appends a message to the run that is being filled. @returns its number. */
  append(frame: Uint8Array, topic: string, time: number): number {
    this.#remember();
    const seq = this.next;
    this.openRun.frames.append(frame);
    this.openRun.ends.push(this.openRun.frames.length);
    this.counted(1, frame.length, time);
    this.lastTopics.add(topic, seq);
    if (this.listed) {
      this.#mustSave = true;
      this.openRun.topics.push(topic);
    }
    return seq;
  }

  /** Counts messages that its row does not count. */
  counted(count: number, bytes: number, time: number): void {
    this.next += count;
    this.count += count;
    this.bytes += bytes;
    this.time = time;
    this.#unsaved += count;
    this.#unsavedBytes += bytes;
  }

  /** Whether its row, its topics and its message ids are to be written in this commit. */
  isSaveDue(now: number): boolean {
    return this.#mustSave || this.#unsavedBytes >= MAX_UNSAVED_BYTES ||
      this.#unsaved >= MAX_UNSAVED || Math.abs(now - this.#savedAt) >= SAVE_MS;
  }

  /** Writes what was changed. */
  save(statements: Statements, now: number): void {
    const { settings, floor, next, count, bytes, time, id } = this;
    statements.run(SAVE, settingsText(settings), floor, next, count, bytes, time, id);
    this.lastTopics.save(statements, id);
    this.#isSaving = true;
    this.#savedAt = now;
  }

  /** What was written is committed. */
  committed(): void {
    this.lastTopics.committed(this.#isSaving);
    if (this.#isSaving) this.#unsaved = this.#unsavedBytes = 0;
    this.#mustSave = this.#isSaving = false;
    this.#before = undefined;
    if (this.#areRowsWritten) this.journaled = [];
    this.#areRowsWritten = false;
    this.#journaledBefore = this.journaled.length;
  }

  /** Takes back what was changed since the last commit. */
  rollBack(): void {
    if (this.#before) Object.assign(this, this.#before);
    this.#before = undefined;
    this.#mustSave = this.#isSaving = false;
    this.#areRowsWritten = false;
    this.journaled.length = this.#journaledBefore;
    this.lastTopics.rollBack();
    this.openRun.clear();
  }

  /** What appending changed of its figures. */
  get appended(): Appended {
    const { name, next, count, bytes } = this;
    return { name, lastSeq: next - 1, count, bytes };
  }

  /** Its figures. */
  figures(consumers: number): WrittenFigures {
    const { name, settings, floor, next, count, bytes } = this;
    const [lastSeq, readableSeq] = [next - 1, this.rowsEnd - 1];
    return { name, settings, firstSeq: floor, lastSeq, readableSeq, count, bytes, consumers };
  }

  #remember(): void {
    if (this.#before !== undefined) return;
    const { settings, floor, next, count, bytes, time } = this;
    this.#before = { settings, floor, next, count, bytes, time };
  }
}

/** All streams. */
export function loadStreams(statements: Statements): StreamRecord[] {
  return statements.rows<StreamRow>(LOAD).map((row) => new StreamRecord(row));
}

/** Makes a stream's row. */
export function insertStream(
  statements: Statements,
  name: string,
  settings: StreamSettings,
): StreamRecord {
  const text = settingsText(settings);
  const [id] = statements.row<[number]>(
    "INSERT INTO stream (name, settings, floor, next, count, bytes, time) " +
      "VALUES (?, ?, 1, 1, 0, 0, 0) RETURNING id",
    name,
    text,
  )!;
  return new StreamRecord([id, name, text, 1, 1, 0, 0, 0]);
}

/** JSON has no `Infinity`: limits that do not exist are left out. */
function settingsText(settings: StreamSettings): string {
  return JSON.stringify(settings, (_, value) => value === Infinity ? undefined : value);
}

function settingsOf(text: string): StreamSettings {
  const none = {
    maxAgeMs: Infinity,
    maxBytes: Infinity,
    maxCount: Infinity,
    maxPerTopic: Infinity,
  };
  return { ...none, ...JSON.parse(text) };
}
