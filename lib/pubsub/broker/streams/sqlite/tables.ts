import type { DatabaseSync } from "node:sqlite";
import { DEAD_LETTERS } from "../dead_letter.ts";
import { DEAD_LETTER_SETTINGS } from "../stream_settings.ts";
import type { StreamSettings } from "../stream_store.ts";
import { StreamTopics } from "../stream_topics.ts";
import { Appender } from "./appender.ts";
import { ENTRY_BYTES } from "./consumer_entry.ts";
import { type ConsumerRecord, loadConsumers } from "./consumer_record.ts";
import { DeadCounts } from "./dead_counts.ts";
import { DoneCheck } from "./done_check.ts";
import { GoneTable } from "./gone_table.ts";
import type { WrittenFigures } from "./orders.ts";
import { recover } from "./recover.ts";
import { Retention } from "./retention.ts";
import { Runs } from "./runs.ts";
import { Statements } from "./statements.ts";
import { insertStream, loadStreams, type StreamRecord } from "./stream_record.ts";

/** Idle streams that one commit writes. */
const IDLE_SAVED = 4;

/** What is known of messages that are stored, and not written yet. */
export interface KeptInMemory {
  /** The bytes of their topics and ids. */
  readonly messages: number;
  /** The bytes of what consumers have taken. */
  readonly entries: number;
}

/** Nothing is to be written but what a commit is asked for. */
export const NOTHING_KEPT: KeptInMemory = { messages: 0, entries: 0 };

/** What the last commit changed. */
export interface Committed {
  readonly changed: readonly StreamRecord[];
  readonly deleted: readonly string[];
  readonly ended: readonly number[];
  readonly deadLetters: readonly { readonly topic: string; readonly frame: Uint8Array }[];
}

/** All that the writer knows: streams, consumers, and the tables behind them. */
export class Tables {
  readonly statements: Statements;
  readonly runs: Runs;
  readonly gone: GoneTable;
  readonly appender: Appender;
  readonly retention: Retention;
  readonly deadCounts: DeadCounts;
  readonly byName: Map<string, StreamRecord> = new Map();
  /** The consumers of each stream, by name. */
  readonly #consumers = new Map<StreamRecord, Map<string, ConsumerRecord>>();
  readonly #doneCheck = new DoneCheck();
  readonly #topics = new StreamTopics(this.byName);
  #count = 0;
  /** How to undo what is not a change of a record, the last first. */
  #undo: (() => void)[] = [];
  #deleted: string[] = [];
  #ended: number[] = [];
  #deadLetters: { topic: string; frame: Uint8Array }[] = [];

  /**
   * Reads all streams and consumers.
   *
   * @param recentIds How many message ids have their hashes in memory.
   */
  constructor(db: DatabaseSync, recentIds?: number) {
    this.statements = new Statements(db);
    this.runs = new Runs(this.statements);
    this.gone = new GoneTable(this.statements, this.runs);
    this.appender = new Appender(this.statements, this.gone, recentIds);
    this.deadCounts = new DeadCounts(this.statements);
    this.retention = new Retention(this.statements, this.runs, this.gone, this.deadCounts);
    const byId = new Map<number, StreamRecord>();
    for (const stream of loadStreams(this.statements)) {
      byId.set(stream.id, stream);
      this.addStream(stream);
      recover(stream, this.statements, this.runs, this.appender.messageIds);
    }
    for (const consumer of loadConsumers(this.statements, byId)) this.addConsumer(consumer);
    this.#undo = [];
  }

  /** How many consumers there are. */
  get consumerCount(): number {
    return this.#count;
  }

  /** The consumers of a stream, by name. */
  consumersOf(stream: StreamRecord): ReadonlyMap<string, ConsumerRecord> {
    return this.#consumers.get(stream) ?? new Map();
  }

  /** All consumers. */
  *allConsumers(): Iterable<ConsumerRecord> {
    for (const consumers of this.#consumers.values()) yield* consumers.values();
  }

  /** A stream, other than this one, whose filters have a topic in common with one of these. */
  overlapping(filters: readonly string[], except?: StreamRecord): StreamRecord | undefined {
    const name = this.#topics.overlapping(filters, except?.name);
    return name === undefined ? undefined : this.byName.get(name);
  }

  /** The stream of the dead letters; it is made if there is none. */
  deadLetterStream(): StreamRecord {
    const known = this.byName.get(DEAD_LETTERS);
    if (known) return known;
    const stream = insertStream(this.statements, DEAD_LETTERS, DEAD_LETTER_SETTINGS);
    this.addStream(stream);
    stream.touch();
    return stream;
  }

  /** Whether all consumers of a stream are done with a message. @param topicOf Gives its topic. */
  isDoneByAll(stream: StreamRecord, seq: number, topicOf: () => string | undefined): boolean {
    return this.#doneCheck.byAll(stream, this.consumersOf(stream), seq, topicOf);
  }

  /** How many dead letters a consumer has. */
  deadLettersOf(consumer: ConsumerRecord): number {
    const dead = this.byName.get(DEAD_LETTERS);
    if (dead === undefined) return 0;
    const { deadTopic } = consumer;
    if (!this.deadCounts.knows(deadTopic)) this.appender.flush(dead);
    return this.deadCounts.of(dead, deadTopic);
  }

  figuresOf(stream: StreamRecord): WrittenFigures {
    return stream.figures(this.consumersOf(stream).size);
  }

  addStream(stream: StreamRecord): void {
    this.byName.set(stream.name, stream);
    this.#topics.changed();
    this.#consumers.set(stream, new Map());
    this.#undo.push(() => {
      this.byName.delete(stream.name);
      this.#consumers.delete(stream);
    });
  }

  /** Gives a stream other settings. */
  change(stream: StreamRecord, settings: StreamSettings): void {
    stream.touch();
    stream.settings = settings;
    this.#topics.changed();
  }

  /** Forgets a stream, whose consumers are gone already. */
  removeStream(stream: StreamRecord): void {
    this.byName.delete(stream.name);
    this.#topics.changed();
    this.#consumers.delete(stream);
    this.#deleted.push(stream.name);
    stream.openRun.clear();
    const remember = this.appender.messageIds.forget(stream);
    this.#undo.push(() => {
      remember();
      this.byName.set(stream.name, stream);
      this.#consumers.set(stream, new Map());
    });
  }

  addConsumer(consumer: ConsumerRecord): void {
    this.#consumers.get(consumer.stream)!.set(consumer.name, consumer);
    this.#count++;
    this.#undo.push(() => {
      this.#consumers.get(consumer.stream)!.delete(consumer.name);
      this.#count--;
    });
  }

  /** Forgets a consumer; its members are told. */
  removeConsumer(consumer: ConsumerRecord): void {
    this.#consumers.get(consumer.stream)!.delete(consumer.name);
    this.#count--;
    for (const { id } of consumer.members) this.#ended.push(id);
    this.#undo.push(() => {
      this.#consumers.get(consumer.stream)!.set(consumer.name, consumer);
      this.#count++;
    });
  }

  /** Takes something back if the commit fails. */
  onRollBack(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** A dead letter was written. */
  buried(topic: string, frame: Uint8Array): void {
    this.#deadLetters.push({ topic, frame: frame.slice() });
  }

  /** Begins a commit. */
  begin(): void {
    this.#undo = [];
    this.#deleted = [];
    this.#ended = [];
    this.#deadLetters = [];
  }

  /**
   * Has the commit write what is known of some streams that nothing comes for any more. Otherwise it
   * would stay in memory, of however many streams.
   */
  saveIdle(now: number): void {
    let left = IDLE_SAVED;
    for (const stream of this.byName.values()) {
      if (stream.changed || stream.isSaved || !stream.isSaveDue(now)) continue;
      stream.touch();
      if (--left === 0) return;
    }
  }

  /** Has the commit write rows of what the journal has. */
  writeRows(): void {
    for (const stream of this.byName.values()) this.appender.writeRows(stream);
  }

  /** Has the journal take what was appended. */
  flush(): void {
    for (const stream of this.byName.values()) this.appender.flush(stream);
  }

  /** Writes what was changed, but for what is written about appended messages now and then. */
  save(now: number): void {
    // Runs first: writing them may mark older messages as gone.
    this.flush();
    this.gone.save();
    for (const stream of this.byName.values()) {
      if (!stream.changed || !stream.isSaveDue(now)) continue;
      stream.save(this.statements, now);
      this.appender.messageIds.save(stream);
    }
    for (const consumer of this.allConsumers()) {
      if (consumer.changed) consumer.save(this.statements);
    }
  }

  /** What a commit may have to write beside what it is asked for. */
  keptInMemory(): KeptInMemory {
    let [messages, entries] = [0, 0];
    for (const { unsavedBytes } of this.byName.values()) messages += unsavedBytes;
    for (const each of this.allConsumers()) entries += each.entries.size * ENTRY_BYTES;
    return { messages, entries };
  }

  /** Has the commit write all of a stream. */
  saveAll(stream: StreamRecord): void {
    if (!stream.isSaved) stream.touch();
  }

  /** The commit was made. */
  committed(): Committed {
    const changed = [...this.byName.values()].filter((stream) => stream.changed);
    for (const stream of changed) stream.committed();
    for (const consumer of this.allConsumers()) if (consumer.changed) consumer.committed();
    this.appender.messageIds.committed();
    this.#undo = [];
    return {
      changed,
      deleted: this.#deleted,
      ended: this.#ended,
      deadLetters: this.#deadLetters,
    };
  }

  /** The commit failed: everything is as it was before. */
  rollBack(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
    for (const stream of this.byName.values()) stream.rollBack();
    this.#topics.changed();
    for (const consumer of this.allConsumers()) consumer.rollBack();
    this.gone.rollBack();
    this.appender.rollBack();
    this.deadCounts.rollBack();
    this.runs.forget();
  }
}
