import { DEAD_LETTERS, revive } from "../dead_letter.ts";
import type { ConsumerEntry } from "./consumer_entry.ts";
import type { ConsumerRecord } from "./consumer_record.ts";
import type { StoredMessage } from "./message_writer.ts";
import { RunFrames } from "./run_frames.ts";
import { type GoneMarks, isGone, type StoredRun } from "./runs.ts";
import type { StreamRecord } from "./stream_record.ts";
import type { Tables } from "./tables.ts";

/**
 * The cost of a message that is looked up by itself, of a dead letter, and of reading a run. The unit is
 * a message of a run that is looked at after the one before it: 1 to 2 µs.
 */
const LOOKED_UP_WORK = 10;
const LETTER_WORK = 30;
const RUN_WORK = 20;

/** How many unsettled messages each consumer may have, whatever others have. */
export const FREE_ENTRIES = 16;

/** What may be done for all consumers that are served in one go. */
export interface ServingBounds {
  /** How many messages may be looked at. */
  work: number;
  /** How many messages may be taken beyond {@linkcode FREE_ENTRIES} of each consumer. */
  entries: number;
}

/** Finds the next message for a consumer: first those to be delivered again, then new ones. */
export class MessageSource {
  /** Messages that were passed over because they are not kept any more. */
  missed = 0;
  /** Whether it stopped looking although there is more. */
  isTired = false;
  readonly #tables: Tables;
  readonly #consumer: ConsumerRecord;
  readonly #bounds: ServingBounds;
  /** The run that is being read. */
  #run: StoredRun | undefined;
  #frames: RunFrames | undefined;
  #marks: GoneMarks | undefined;

  /** Begins with what is ready to be delivered again. */
  constructor(tables: Tables, consumer: ConsumerRecord, bounds: ServingBounds) {
    this.#tables = tables;
    this.#consumer = consumer;
    this.#bounds = bounds;
  }

  /** The next message; a new one only where there is room for it. */
  next(): { entry: ConsumerEntry; message: StoredMessage } | undefined {
    for (const entry of this.#consumer.ready) {
      if (!this.#mayWork(LOOKED_UP_WORK)) return undefined;
      const message = keptMessage(this.#tables, this.#consumer.stream, entry.seq);
      if (message) return { entry, message };
      this.#consumer.remove(entry);
      this.#consumer.changed = true;
      this.missed++;
    }
    const { entries: { size }, settings } = this.#consumer;
    const isShared = size >= FREE_ENTRIES;
    if (size >= settings.maxUnacked || isShared && this.#bounds.entries <= 0) return undefined;
    const found = this.#nextLetter() ?? this.#nextNew();
    if (found && isShared) this.#bounds.entries--;
    return found;
  }

  /** Whether there is work left; if so, takes this much of it. */
  #mayWork(work: number): boolean {
    this.isTired = this.#bounds.work <= 0;
    if (!this.isTired) this.#bounds.work -= work;
    return !this.isTired;
  }

  #nextLetter(): { entry: ConsumerEntry; message: StoredMessage } | undefined {
    const consumer = this.#consumer;
    if (consumer.redrive === 0) return undefined;
    const dead = this.#tables.byName.get(DEAD_LETTERS);
    while (dead) {
      if (!this.#mayWork(LETTER_WORK)) return undefined;
      const row = this.#tables.statements.row<[number]>(
        "SELECT seq FROM kept WHERE stream = ? AND topic = ? AND seq > ? AND seq <= ? " +
          "ORDER BY seq LIMIT 1",
        dead.id,
        consumer.deadTopic,
        Math.max(consumer.redriveFrom, dead.floor - 1),
        consumer.redrive,
      );
      if (row === undefined) break;
      const seq = consumer.redriveFrom = row[0];
      if (consumer.entries.has(-seq)) continue;
      const message = keptMessage(this.#tables, consumer.stream, -seq);
      if (message) return { entry: newEntry(-seq), message };
    }
    consumer.redrive = 0;
    consumer.changed = true;
    return undefined;
  }

  #nextNew(): { entry: ConsumerEntry; message: StoredMessage } | undefined {
    const consumer = this.#consumer;
    const { stream, matcher } = consumer;
    if (consumer.position < stream.floor) {
      this.missed += stream.floor - consumer.position;
      consumer.position = stream.floor;
      consumer.changed = true;
    }
    // What only the journal has is not handed out.
    const { rowsEnd } = stream;
    while (consumer.position < rowsEnd) {
      const run = this.#runAt(stream, consumer.position);
      if (run === undefined) {
        consumer.position = rowsEnd;
        return undefined;
      }
      for (let i = Math.max(0, consumer.position - run.first); i < run.count; i++) {
        if (!this.#mayWork(1)) return undefined;
        const seq = run.first + i;
        consumer.position = seq + 1;
        consumer.changed = true;
        const frames = this.#frames!;
        if (isGone(this.#marks, i)) continue;
        if (!matcher.matchesAll && !matcher.matches(frames.topicOf(i))) continue;
        return { entry: newEntry(seq), message: { frames, index: i, seq, time: run.time } };
      }
    }
    return undefined;
  }

  /** The run of a message, or the next one. Nothing is written while messages are handed out. */
  #runAt(stream: StreamRecord, seq: number): StoredRun | undefined {
    const known = this.#run;
    if (known && known.first <= seq && seq < known.first + known.count) return known;
    const { runs, gone } = this.#tables;
    this.#bounds.work -= RUN_WORK;
    this.#run = runs.at(stream.id, seq);
    if (this.#run) {
      this.#frames = runs.frames(this.#run);
      this.#marks = gone.marksOf(this.#run);
    }
    return this.#run;
  }
}

function newEntry(seq: number): ConsumerEntry {
  return { seq, attempt: 0, delivery: 0, member: undefined, at: 0, takenAt: 0, reason: undefined };
}

/** A message that is kept; by a negative number a dead letter, as the message that it was. */
export function keptMessage(
  tables: Tables,
  stream: StreamRecord,
  seq: number,
): StoredMessage | undefined {
  if (seq < 0) {
    const dead = tables.byName.get(DEAD_LETTERS);
    const letter = dead && keptMessage(tables, dead, -seq);
    if (letter === undefined) return undefined;
    const { frame, seq: first, time } = revive(letter.frames.at(letter.index));
    return { frames: RunFrames.single(frame, tables.runs.decoder), index: 0, seq: first, time };
  }
  const { runs, gone } = tables;
  if (!gone.has(stream, seq)) return undefined;
  const run = runs.at(stream.id, seq)!;
  return { frames: runs.frames(run), index: seq - run.first, seq, time: run.time };
}
