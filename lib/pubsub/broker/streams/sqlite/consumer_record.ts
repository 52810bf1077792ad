import { backoffOf } from "../consumer_settings.ts";
import { deadTopicOf } from "../dead_letter.ts";
import type { ConsumerFigures, ConsumerSettings } from "../stream_store.ts";
import { type ConsumerEntry, decodeEntries, encodeEntries } from "./consumer_entry.ts";
import type { ConsumerMemberRecord } from "./consumer_member.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";
import { TopicMatcher } from "../topic_matcher.ts";

/** A row of the table `consumer`. */
export type ConsumerRow = readonly [
  id: number,
  stream: number,
  name: string,
  settings: string,
  position: number,
  redrive: number,
  entries: Uint8Array,
];

const LOAD = "SELECT id, stream, name, settings, position, redrive, entries FROM consumer";
const SAVE = "UPDATE consumer SET position = ?, redrive = ?, entries = ? WHERE id = ?";
const INSERT = "INSERT INTO consumer (stream, name, settings, position, redrive, entries) " +
  "VALUES (?, ?, ?, ?, 0, x'') RETURNING id";

interface State {
  readonly position: number;
  readonly redrive: number;
  readonly entries: readonly ConsumerEntry[];
}

/**
 * A consumer as the writer knows it. All messages before its position that are not among its
 * entries are done. An entry is open, which means delivered, or waits to be delivered again.
 */
export class ConsumerRecord {
  /** Names it in the tables. */
  readonly id: number;
  readonly stream: StreamRecord;
  readonly name: string;
  readonly settings: ConsumerSettings;
  /** Tells which messages it gets. */
  readonly matcher: TopicMatcher;
  /** The number of the next message that it takes. */
  position: number;
  /** Dead letters up to this number are delivered again; 0 for none. */
  redrive: number;
  /** From here on dead letters are looked for. */
  redriveFrom = 0;
  /** The messages that are taken and not acknowledged, by their numbers. */
  readonly entries: Map<number, ConsumerEntry> = new Map();
  /** Those that are open, by the numbers of their deliveries. */
  readonly open: Map<number, ConsumerEntry> = new Map();
  /** Those that may be delivered again. */
  readonly ready: Set<ConsumerEntry> = new Set();
  /** Before this time nothing happens by itself to an entry; milliseconds since 1970. */
  dueAt = Infinity;
  /** Connections that share it; the first is the next that has its turn. */
  readonly members: Set<ConsumerMemberRecord> = new Set();
  /** When it was last served, and whether it then looked for long and found nothing. */
  turn = 0;
  isSearching = false;
  /** Deliveries that were not a message's first. */
  redelivered = 0;
  /** Whether it differs from its row. */
  changed = false;
  #before: State | undefined;

  /** As a row of the table tells it. */
  constructor(
    stream: StreamRecord,
    [id, , name, settings, position, redrive, entries]: ConsumerRow,
  ) {
    this.id = id;
    this.stream = stream;
    this.name = name;
    this.settings = { topic: undefined, ...JSON.parse(settings) };
    this.matcher = new TopicMatcher(this.settings.topic);
    this.position = position;
    this.redrive = redrive;
    this.#setEntries(decodeEntries(entries));
  }

  /** The topic of its dead letters. */
  get deadTopic(): string {
    return deadTopicOf(this.stream.name, this.name);
  }

  /** Must be called before a change that may have to be rolled back. */
  touch(): void {
    this.changed = true;
    if (this.#before !== undefined) return;
    const { position, redrive } = this;
    this.#before = {
      position,
      redrive,
      entries: [...this.entries.values()].map((e) => ({ ...e })),
    };
  }

  /** Writes what was changed. */
  save(statements: Statements): void {
    const { id, position, redrive, entries } = this;
    statements.run(SAVE, position, redrive, encodeEntries(entries.values()), id);
  }

  /** What was written is committed. */
  committed(): void {
    this.changed = false;
    this.#before = undefined;
  }

  /** Takes back what was changed since the last commit, without what was delivered. */
  rollBack(): void {
    const before = this.#before;
    if (before === undefined) return;
    this.#before = undefined;
    this.position = before.position;
    this.redrive = before.redrive;
    this.#setEntries(before.entries);
  }

  /** Whether it has got a message and is done with it, or has passed over it. */
  hasPassed(seq: number): boolean {
    return seq < this.position && !this.entries.has(seq);
  }

  /** Notes that a message is delivered. */
  opened(entry: ConsumerEntry, delivery: number, member: ConsumerMemberRecord, now: number): void {
    entry.attempt++;
    if (entry.attempt > 1) this.redelivered++;
    entry.delivery = delivery;
    entry.member = member;
    entry.takenAt = now;
    entry.at = now + this.settings.ackWaitMs;
    member.open++;
    this.ready.delete(entry);
    this.entries.set(entry.seq, entry);
    this.open.set(delivery, entry);
    this.dueAt = Math.min(this.dueAt, entry.at);
    this.changed = true;
  }

  /** Ends an open delivery; the entry waits to be delivered again from a time on. */
  returned(entry: ConsumerEntry, at: number, reason: string | undefined): void {
    this.#close(entry);
    entry.at = at;
    entry.reason = reason;
    this.dueAt = Math.min(this.dueAt, at);
  }

  /** Ends an entry: it is acknowledged, dead, or no longer kept. */
  remove(entry: ConsumerEntry): void {
    this.#close(entry);
    this.ready.delete(entry);
    this.entries.delete(entry.seq);
  }

  /** The clock was set back by `ms`. */
  setBack(ms: number): void {
    this.dueAt -= ms;
    for (const entry of this.entries.values()) {
      entry.at = Math.max(0, entry.at - ms);
      entry.takenAt -= ms;
    }
  }

  /** Forgets all entries. */
  clear(): void {
    for (const entry of [...this.entries.values()]) this.remove(entry);
  }

  /** After which time a message is delivered again that was delivered this many times. */
  backoffMs(attempt: number): number {
    return backoffOf(this.settings, attempt);
  }

  /** How many open deliveries a member may have. */
  prefetchOf(member: ConsumerMemberRecord): number {
    return member.prefetch ?? Math.ceil(this.settings.maxUnacked / this.members.size);
  }

  /** Its figures. @param dead How many dead letters it has. */
  figures(now: number, dead: number): ConsumerFigures {
    const { stream, name, settings, position } = this;
    let attempts = 0;
    let oldest = now;
    for (const entry of this.entries.values()) {
      attempts = Math.max(attempts, entry.attempt);
      if (entry.delivery > 0) oldest = Math.min(oldest, entry.takenAt);
    }
    const behind = Math.max(0, stream.next - Math.max(position, stream.floor));
    return {
      stream: stream.name,
      consumer: name,
      settings,
      position,
      pending: Math.min(behind, stream.count),
      unacked: this.entries.size,
      redelivered: this.redelivered,
      attempts,
      dead,
      oldestUnackedMs: Math.max(0, now - oldest),
      members: this.members.size,
    };
  }

  #close(entry: ConsumerEntry): void {
    if (entry.delivery === 0) return;
    this.open.delete(entry.delivery);
    if (entry.member) entry.member.open--;
    entry.delivery = 0;
    entry.member = undefined;
  }

  #setEntries(entries: readonly ConsumerEntry[]): void {
    for (const member of this.members) member.open = 0;
    this.entries.clear();
    this.open.clear();
    this.ready.clear();
    for (const entry of entries) {
      this.entries.set(entry.seq, entry);
      this.dueAt = Math.min(this.dueAt, entry.at);
      // A member that has left meanwhile does not give anything back again.
      if (entry.member && !this.members.has(entry.member)) {
        if (entry.member.leftUncounted) entry.attempt--;
        entry.delivery = 0;
        entry.at = 0;
        this.dueAt = 0;
        entry.member = undefined;
      }
      if (entry.delivery === 0) continue;
      this.open.set(entry.delivery, entry);
      entry.member!.open++;
    }
  }
}

/** All consumers of these streams. */
export function loadConsumers(
  statements: Statements,
  streams: ReadonlyMap<number, StreamRecord>,
): ConsumerRecord[] {
  return statements.rows<ConsumerRow>(LOAD)
    .map((row) => new ConsumerRecord(streams.get(row[1])!, row));
}

/** Makes a consumer's row. */
export function insertConsumer(
  statements: Statements,
  stream: StreamRecord,
  name: string,
  settings: ConsumerSettings,
  position: number,
): ConsumerRecord {
  const text = JSON.stringify(settings);
  const [id] = statements.row<[number]>(INSERT, stream.id, name, text, position)!;
  return new ConsumerRecord(stream, [id, stream.id, name, text, position, 0, new Uint8Array(0)]);
}
