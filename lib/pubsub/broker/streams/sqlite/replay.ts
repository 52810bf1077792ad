import type { DatabaseSync } from "node:sqlite";
import { ByteBuffer } from "../../../../base/byte_buffer.ts";
import { readTransaction } from "../../../../sqlite/mod.ts";
import type { StreamStart } from "../stream_store.ts";
import { MessageWriter, type Recipient } from "./message_writer.ts";
import { isGone, Runs } from "./runs.ts";
import { Statements } from "./statements.ts";
import { TopicMatcher } from "../topic_matcher.ts";

/** What is read in one go where nobody says how much. */
const PART_BYTES = 262_144;
/** How long to look for one reader before others get a turn; at least one run, or some topics. */
const STEP_MS = 2;
/** Topics whose last messages are looked up at most in one go; and between two looks at the clock. */
const MAX_TOPICS = 500;
const TOPICS_EACH = 16;

/** Where a reader stands. */
export interface ReplayPlace {
  /** The stream's name. */
  readonly stream: string;
  /** The number that all frames repeat. */
  readonly sid: number;
  /** Whether it takes many messages in one frame. */
  readonly runs: boolean;
  /** Only messages that this filter matches. */
  readonly topic: string | undefined;
  /** The number of the next message; of each topic's last ones, of the next one of them. */
  readonly next: number;
  /** Up to this number only the last message of each topic is read; 0 for none. */
  readonly lastUntil: number;
}

/** What was read, and where the reader stands then. */
export interface ReplayPart {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly missed: number;
  readonly next: number;
}

/** The row of a stream may be behind its messages. */
const END_OF_RUNS = "(SELECT run.first + run.count FROM run WHERE run.stream = stream.id " +
  "ORDER BY run.first DESC LIMIT 1)";

type StreamRow = readonly [id: number, floor: number, next: number, saved: number];

/** Reads what streams keep, over a connection of its own. */
export class Replay {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #runs: Runs;

  /** Over a connection that reads. */
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = new Statements(db);
    this.#runs = new Runs(this.#statements, true);
  }

  /** Where a reader begins; `undefined` if there is no such stream. */
  begin(name: string, start: StreamStart): Pick<ReplayPlace, "next" | "lastUntil"> | undefined {
    return readTransaction(this.#db, () => this.#begin(name, start));
  }

  #begin(name: string, start: StreamStart): Pick<ReplayPlace, "next" | "lastUntil"> | undefined {
    const stream = this.#stream(name);
    if (stream === undefined) return undefined;
    const [id, floor, next, saved] = stream;
    if ("fromSeq" in start) return { next: start.fromSeq, lastUntil: 0 };
    if ("fromTimeMs" in start) {
      return { next: this.#runs.atTime(id, floor, next, start.fromTimeMs), lastUntil: 0 };
    }
    // Of messages from there on it is not written which are the last of their topics.
    if (start.from === "last") return { next: floor, lastUntil: saved - 1 };
    return { next: start.from === "new" ? next : floor, lastUntil: 0 };
  }

  /**
   * Reads on from a place; `undefined` if the stream is gone.
   *
   * @param maxBytes What is read at most, but for a larger frame.
   * @param out What is read is written here; the part is a view of it.
   */
  read(
    place: ReplayPlace,
    maxBytes: number = PART_BYTES,
    out: ByteBuffer = new ByteBuffer(),
  ): ReplayPart | undefined {
    // Rows may be dropped, and marks of what is gone be made, between two statements.
    return readTransaction(this.#db, () => {
      const stream = this.#stream(place.stream);
      if (stream === undefined) return undefined;
      return place.next <= place.lastUntil
        ? this.#readLast(place, stream, maxBytes, out)
        : this.#read(place, stream, maxBytes, out);
    });
  }

  #read(
    place: ReplayPlace,
    [id, floor, end]: StreamRow,
    maxBytes: number,
    out: ByteBuffer,
  ): ReplayPart {
    const matcher = new TopicMatcher(place.topic);
    const isLast = place.lastUntil > 0;
    const missed = isLast ? 0 : Math.max(0, floor - place.next);
    let next = Math.max(place.next, floor);
    const writer = new MessageWriter(out, recipientOf(place));
    const until = performance.now() + STEP_MS;
    while (next < end && writer.bytes < maxBytes) {
      const run = this.#runs.at(id, next);
      if (run === undefined) {
        next = end;
        break;
      }
      const marks = this.#runs.gone(run);
      const frames = this.#runs.frames(run);
      let at = Math.max(0, next - run.first);
      if (marks === undefined && matcher.matchesAll) {
        at = writer.addUntil(maxBytes, frames, at, run.first + at, run.time);
      } else {
        for (; at < run.count && writer.bytes < maxBytes; at++) {
          if (isGone(marks, at)) continue;
          if (matcher.matchesAll || matcher.matches(frames.topicOf(at))) {
            writer.add(frames, at, run.first + at, run.time);
          }
        }
      }
      next = run.first + at;
      // The memory of these frames is given back once others were asked for.
      writer.end();
      if (performance.now() >= until) break;
    }
    return { bytes: out.view(), count: writer.count, missed, next };
  }

  /** The last messages of topics, in the order of their numbers. */
  #readLast(
    place: ReplayPlace,
    [id, floor]: StreamRow,
    maxBytes: number,
    out: ByteBuffer,
  ): ReplayPart {
    const matcher = new TopicMatcher(place.topic);
    const rows = this.#statements.rows<[topic: string, last: number]>(
      "SELECT topic, last FROM topic WHERE stream = ? AND last >= ? AND last <= ? " +
        "ORDER BY last LIMIT +?",
      id,
      Math.max(place.next, floor),
      place.lastUntil,
      MAX_TOPICS,
    );
    let next = rows.length < MAX_TOPICS ? place.lastUntil + 1 : rows.at(-1)![1] + 1;
    const writer = new MessageWriter(out, recipientOf(place));
    const until = performance.now() + STEP_MS;
    for (const [i, [topic, seq]] of rows.entries()) {
      const isLook = i > 0 && i % TOPICS_EACH === 0;
      if (writer.bytes >= maxBytes || isLook && performance.now() >= until) {
        next = seq;
        break;
      }
      if (!matcher.matches(topic)) continue;
      const run = this.#runs.at(id, seq);
      if (run === undefined || run.first > seq) continue;
      if (isGone(this.#runs.gone(run), seq - run.first)) continue;
      writer.add(this.#runs.frames(run), seq - run.first, seq, run.time);
    }
    writer.end();
    return { bytes: out.view(), count: writer.count, missed: 0, next };
  }

  #stream(name: string): StreamRow | undefined {
    return this.#statements.row<StreamRow>(
      `SELECT id, floor, max(next, coalesce(${END_OF_RUNS}, 0)), next FROM stream WHERE name = ?`,
      name,
    );
  }
}

function recipientOf({ sid, stream, runs }: ReplayPlace): Recipient {
  return { sid, stream, consumer: undefined, runs };
}
