import type { OrderResult, OrderValue } from "./orders.ts";
import type { StreamRecord } from "./stream_record.ts";
import type { Tables } from "./tables.ts";
import { UnwantedMessages } from "./unwanted_messages.ts";

/** Runs that are dropped in one commit. */
const MAX_DROPPED = 64;
/** Runs that are looked through in one commit; fewer, if many consumers are asked about each message. */
const MAX_LOOKED_AT = 8;
const CONSUMERS_PER_RUN = 50;
/** How often to look for messages that have become too old; and in how many streams per commit. */
const LOOK_MS = 1_000;
const MAX_LOOKED_FOR = 32;

/** Work that takes several commits. Does a part of it; `undefined` once it is done. */
interface Job {
  readonly stream: StreamRecord;
  /** The number by which its order is answered; `undefined` if nobody asked. */
  readonly number: number | undefined;
  /** Whether it drops what all consumers are done with. */
  readonly isSweep: boolean;
  /** Does a part; `true` once all is done. */
  step(): boolean;
  /** What the order is answered with then. */
  value(): OrderValue;
}

/** Drops what is no longer kept. As that may take long, it does a little in each commit. */
export class Jobs {
  readonly #tables: Tables;
  readonly #unwanted: UnwantedMessages;
  readonly #jobs: Job[] = [];
  readonly #doomed: number[];
  /** Streams of which there may be more to drop. */
  readonly #behind = new Set<StreamRecord>();
  #lastNumber = 0;
  #lookAt = 0;
  /** Streams in which they are still to be looked for this time. */
  #toLookAt: StreamRecord[] = [];

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#unwanted = new UnwantedMessages(tables);
    this.#doomed = tables.statements.rows<[number]>("SELECT stream FROM doomed").map(([id]) => id);
  }

  /** Whether there is something to do at once. */
  get hasWork(): boolean {
    return this.#jobs.length > 0 || this.#doomed.length > 0 || this.#behind.size > 0 ||
      this.#toLookAt.length > 0;
  }

  /** How many parts of work wait that somebody asked for. */
  get waiting(): number {
    return this.#jobs.length;
  }

  /** Whether somebody may wait for what the next commit does. */
  get isAwaited(): boolean {
    return this.#jobs.length > 0;
  }

  /** When messages that have become too old are looked for next. */
  get dueAt(): number {
    return this.#tables.byName.size > 0 ? this.#lookAt : Infinity;
  }

  /** The clock was set back by `ms`. */
  setBack(ms: number): void {
    this.#lookAt -= ms;
  }

  /** Drops all messages before a number. @returns the number of the job. */
  purgeBefore(stream: StreamRecord, seq: number): number {
    const end = Math.min(seq, stream.next);
    const { retention } = this.#tables;
    return this.#add(stream, () => retention.dropBefore(stream, end, MAX_DROPPED));
  }

  /** Drops the messages before a number that are picked. @returns the number of the job. */
  purgePicked(
    stream: StreamRecord,
    end: number,
    picks: (topic: string, seq: number) => boolean,
  ): number {
    return this.#add(stream, this.#looking(stream, end, picks, () => MAX_LOOKED_AT));
  }

  /** A consumer of a stream is gone, or begins anew. Called within a commit. */
  consumerChanged(stream: StreamRecord): void {
    this.#unwanted.beginAgain(stream);
  }

  /**
   * Drops the messages that are picked. If a sweep of the stream is waiting already, that one does it.
   *
   * @param consumers How many consumers are asked about each message.
   */
  sweep(
    stream: StreamRecord,
    picks: (topic: string, seq: number) => boolean,
    consumers: () => number,
  ): void {
    // The first job may have begun, and be past messages that are to be dropped.
    if (this.#jobs.some((job, i) => i > 0 && job.stream === stream && job.isSweep)) return;
    const runs = () => MAX_LOOKED_AT / (1 + consumers() / CONSUMERS_PER_RUN);
    this.#add(stream, this.#looking(stream, undefined, picks, runs), true);
  }

  /**
   * @param end Messages from this number on stay. Without it, those that come after the beginning do.
   * @param runs How many runs are looked through in one step, at least one.
   */
  #looking(
    stream: StreamRecord,
    end: number | undefined,
    picks: (topic: string, seq: number) => boolean,
    runs: () => number,
  ): () => boolean {
    let from: number | undefined = 0;
    let before = end;
    return () => {
      before ??= stream.next;
      if (stream.journaled.length > 0) return false;
      const begun = from;
      this.#tables.onRollBack(() => from = begun);
      const most = Math.max(1, runs());
      for (let i = 0; i < most && from !== undefined; i++) {
        from = this.#tables.retention.dropPicked(stream, picks, from, before);
      }
      return from === undefined;
    };
  }

  /** Removes all of a stream that was deleted. */
  doom(stream: StreamRecord): void {
    this.#tables.statements.run("INSERT INTO doomed VALUES (?)", stream.id);
    this.#doomed.push(stream.id);
    this.#behind.delete(stream);
    this.#tables.onRollBack(() => void this.#doomed.splice(this.#doomed.indexOf(stream.id), 1));
  }

  /**
   * Does a little. Called within a commit.
   *
   * @param mayGrow Whether there may be room for what takes some.
   * @returns the answers to orders whose job is done.
   */
  step(now: number, mayGrow: boolean): { number: number; result: OrderResult }[] {
    this.#keepLimits(now, mayGrow);
    const [doomed] = this.#doomed;
    if (doomed !== undefined && this.#tables.retention.removeDoomed(doomed, MAX_DROPPED)) {
      this.#doomed.shift();
      this.#tables.onRollBack(() => this.#doomed.unshift(doomed));
    }
    const [job] = this.#jobs;
    if (job === undefined) return [];
    const isDeleted = this.#tables.byName.get(job.stream.name) !== job.stream;
    // What is to be dropped may be in the run that is being filled.
    if (!isDeleted) this.#tables.appender.flush(job.stream);
    if (!isDeleted && !job.step()) return [];
    this.#jobs.shift();
    this.#tables.onRollBack(() => this.#jobs.unshift(job));
    return job.number === undefined ? [] : [{ number: job.number, result: { value: job.value() } }];
  }

  #keepLimits(now: number, mayGrow: boolean): void {
    const { byName, retention, appender } = this.#tables;
    if (now >= this.#lookAt) {
      this.#lookAt = now + LOOK_MS;
      this.#toLookAt = [...byName.values()];
    }
    const looked = new Set(this.#toLookAt.splice(0, MAX_LOOKED_FOR));
    this.#unwanted.begin();
    for (const stream of byName.values()) {
      const isLook = looked.has(stream);
      if (!isLook && !stream.changed && !this.#behind.has(stream)) continue;
      // The limits of topics are enforced first: what they drop does not count for the other
      // limits.
      appender.flush(stream);
      const time = stream.timeAt(now);
      let isBehind = retention.keepLimits(stream, time, MAX_DROPPED);
      if (isLook || this.#behind.has(stream)) {
        isBehind = appender.messageIds.tidy(stream, time, mayGrow) || isBehind;
        isBehind = retention.removeStale(stream) || isBehind;
        isBehind = this.#unwanted.step(stream) || isBehind;
      }
      if (isBehind) this.#behind.add(stream);
      else this.#behind.delete(stream);
    }
    for (const stream of this.#behind) {
      if (byName.get(stream.name) !== stream) this.#behind.delete(stream);
    }
  }

  #add(stream: StreamRecord, step: () => boolean, isSweep = false): number {
    const number = ++this.#lastNumber;
    const value = () => this.#tables.figuresOf(stream);
    const job = { stream, number, isSweep, step, value };
    this.#jobs.push(job);
    this.#tables.onRollBack(() => void this.#jobs.splice(this.#jobs.indexOf(job), 1));
    return number;
  }
}
