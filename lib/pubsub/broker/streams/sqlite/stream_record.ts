import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { DEAD_LETTERS } from "../dead_letter.ts";
import type { StreamFigures, StreamSettings } from "../stream_store.ts";
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

/** The messages of a stream that are not written yet: the run that is being filled. */
export class OpenRun {
  /** Their frames. */
  readonly frames: ByteBuffer = new ByteBuffer();
  /** Where each of them ends. */
  readonly ends: number[] = [];
  /** The number of the last message of each topic. */
  readonly lastOf: Map<string, number> = new Map();
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
    this.lastOf.clear();
    this.topics.length = 0;
  }
}

/** A stream as its writer knows it. */
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

  /** Must be called before any change. */
  touch(): void {
    if (this.#before !== undefined) return;
    const { settings, floor, next, count, bytes, time } = this;
    this.#before = { settings, floor, next, count, bytes, time };
  }

  /** Writes what was changed. */
  save(statements: Statements): void {
    const { settings, floor, next, count, bytes, time, id } = this;
    statements.run(SAVE, settingsText(settings), floor, next, count, bytes, time, id);
  }

  /** What was written is committed. */
  committed(): void {
    this.#before = undefined;
  }

  /** Takes back what was changed since the last commit. */
  rollBack(): void {
    if (this.#before) Object.assign(this, this.#before);
    this.#before = undefined;
    this.openRun.clear();
  }

  /** Its figures. */
  figures(consumers: number): StreamFigures {
    const { name, settings, floor, next, count, bytes } = this;
    return { name, settings, firstSeq: floor, lastSeq: next - 1, count, bytes, consumers };
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
