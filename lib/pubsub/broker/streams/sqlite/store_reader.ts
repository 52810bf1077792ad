/**
 * The broker's side of the thread that reads a store.
 *
 * @module
 */
import { Condition } from "../../../../base/condition.ts";
import { Deque } from "../../../../base/deque.ts";
import { FairLine } from "../../../../base/fair_line.ts";
import { releaseMemory } from "../../../../base/large_memory.ts";
import { WorkerThread } from "../../../../base/threads/worker_thread.ts";
import { StreamError } from "../stream_error.ts";
import type { ReadBatch, StreamReader, StreamStart } from "../stream_store.ts";
import type { ReplayPart, ReplayPlace } from "./replay.ts";
import type { ReplayAnswer, ReplayOrder } from "./replay_thread.ts";
import { ERRORS } from "./thread_errors.ts";

/** Pieces of memory that are kept for the next reads, and the largest of them. */
const MAX_KEPT = 8;
const MAX_KEPT_BYTES = 1_048_576;

/**
 * What is read in advance in one go: a part costs both threads as much as 100 KiB of what is in it. All
 * readers together have at most `MAX_IN_ADVANCE` such parts that are not sent yet. No budget counts them.
 */
const IN_ADVANCE_BYTES = 524_288;
const MAX_IN_ADVANCE = 16;

/** The most orders that the thread has been given: a second one, so that it goes on at once after the first. */
const AT_ONCE = 2;

type Value = Extract<ReplayAnswer, { value: unknown }>["value"];

/** In which line a read waits, and whose reads it takes turns with. */
export interface ReadTurn {
  /** Who asks: owners take turns. */
  readonly owner: number | undefined;
  /** Whether it takes hardly any time: then it does not wait behind reads of whole streams. */
  readonly isShort: boolean;
}

/** A part that is read, or is to be. */
export interface Reading {
  /** The part; `undefined` if the stream is gone. */
  readonly part: Promise<ReplayPart | undefined>;
  /** Withdraws it: if its turn has not come yet, nothing is read. */
  giveUp(): void;
}

/** An order, and who waits for the answer. */
interface Asking extends PromiseWithResolvers<Value> {
  readonly order: ReplayOrder;
}

/**
 * Has a store read by a thread of its own. Orders wait in two lines, short and long ones, which take
 * turns; within a line their owners take turns. So a thousand readers that search a whole stream in vain
 * do not keep others waiting.
 */
export class StoreReader {
  readonly #thread: WorkerThread<ReplayOrder, ReplayAnswer>;
  readonly #short = new FairLine<Asking>();
  readonly #long = new FairLine<Asking>();
  #isLongDue = false;
  /** Who waits for the next answers. */
  readonly #asking = new Deque<Asking>();
  /** What was read into and can be again: without this, each read leaves as much to be collected. */
  readonly #memory: ArrayBuffer[] = [];
  #inAdvance = 0;
  /** What was read in advance and is not given back. */
  readonly #ahead = new Set<ArrayBufferLike>();
  #dead: Error | undefined;

  /** Starts the thread. */
  constructor() {
    this.#thread = new WorkerThread(new URL("./replay_thread.ts", import.meta.url), {
      name: "stream-reader",
      errors: ERRORS,
      onReport: (answer) => {
        const asking = this.#asking.shift();
        if ("value" in answer) asking?.resolve(answer.value);
        else asking?.reject(failed(ERRORS.decode(answer.error)));
        this.#send();
      },
      onDied: (error) => this.#end(failed(error)),
    });
  }

  /**
   * Opens the database, before anything else is asked for.
   *
   * @param cacheBytes Memory for pages of the file.
   */
  async open(path: string, cacheBytes: number): Promise<void> {
    await this.#ask({ type: "open", path, cacheBytes });
  }

  /** Where a reader begins; `undefined` if there is no such stream. */
  async begin(
    stream: string,
    start: StreamStart,
    owner: number,
  ): Promise<Pick<ReplayPlace, "next" | "lastUntil"> | undefined> {
    const order = { type: "begin", stream, start } as const;
    return await this.#ask(order, { owner, isShort: true }) as ReplayPlace | undefined;
  }

  /** Reads on from a place. The memory of what was read is to be given back. */
  read(place: ReplayPlace, turn: ReadTurn, maxBytes?: number): Reading {
    const line = turn.isShort ? this.#short : this.#long;
    const asking = this.#add({ type: "read", place, maxBytes, memory: undefined }, turn);
    return {
      part: asking.promise as Promise<ReplayPart | undefined>,
      giveUp: () => {
        const { next } = place;
        const nothing = { bytes: new Uint8Array(0), count: 0, missed: 0, next };
        if (line.delete(turn.owner, asking)) asking.resolve(nothing);
      },
    };
  }

  /** As `read`, of what nobody asks for yet; `undefined` where enough was read in advance. */
  prepare(place: ReplayPlace, turn: ReadTurn): Reading | undefined {
    if (this.#inAdvance >= MAX_IN_ADVANCE) return undefined;
    this.#inAdvance++;
    const reading = this.read(place, turn, IN_ADVANCE_BYTES);
    reading.part.then((part) => {
      if (part && part.bytes.buffer.byteLength > 0) this.#ahead.add(part.bytes.buffer);
      else this.#inAdvance--;
    }, () => this.#inAdvance--);
    return reading;
  }

  /** Takes memory that was read into, for a later `read`. */
  giveBack(bytes: Uint8Array): void {
    const memory = bytes.buffer as ArrayBuffer;
    if (memory.byteLength === 0) return;
    if (this.#ahead.delete(memory)) this.#inAdvance--;
    if (this.#memory.length < MAX_KEPT && memory.byteLength <= MAX_KEPT_BYTES) {
      this.#memory.push(memory);
    } else releaseMemory(bytes);
  }

  /**
   * From here on it also reads what the journal has and the database lacks, up to these numbers: the last
   * of each stream.
   */
  async showJournal(lasts: ReadonlyMap<string, number>): Promise<void> {
    await this.#ask({ type: "show-journal", lasts });
  }

  /**
   * Writes a copy of all that is committed into a new file.
   *
   * @param isWritten Whether somebody has the store open, who may write to it meanwhile.
   * @param signal Ends it after some megabytes. @throws its reason.
   */
  async backup(to: string, isWritten: boolean, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // The thread hears of nothing else while it copies.
    const unwanted = new Uint8Array(new SharedArrayBuffer(1));
    const end = () => Atomics.store(unwanted, 0, 1);
    signal?.addEventListener("abort", end, { once: true });
    try {
      await this.#ask({ type: "backup", to, isWritten, unwanted });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    await this.#ask({ type: "close" }).catch(() => {});
    this.#end(new StreamError("storage-failed", "The store is closed"));
  }

  #ask(order: ReplayOrder, turn: ReadTurn = BY_ITSELF): Promise<Value> {
    return this.#add(order, turn).promise;
  }

  #add(order: ReplayOrder, { owner, isShort }: ReadTurn): Asking {
    const asking = { order, ...Promise.withResolvers<Value>() };
    if (this.#dead) asking.reject(this.#dead);
    else {
      (isShort ? this.#short : this.#long).push(owner, asking);
      this.#send();
    }
    return asking;
  }

  /** Hands orders over, as many as the thread may have. */
  #send(): void {
    while (this.#asking.length < AT_ONCE) {
      const asking = this.#next();
      if (asking === undefined) return;
      this.#asking.push(asking);
      const { order } = asking;
      const memory = order.type === "read" ? this.#memory.pop() : undefined;
      if (memory) this.#thread.post({ ...order, memory } as ReplayOrder, [memory]);
      else this.#thread.post(order);
    }
  }

  #next(): Asking | undefined {
    this.#isLongDue = !this.#isLongDue;
    return this.#isLongDue
      ? this.#short.shift() ?? this.#long.shift()
      : this.#long.shift() ?? this.#short.shift();
  }

  #end(error: Error): void {
    this.#dead ??= error;
    this.#thread.terminate();
    for (let next = this.#asking.shift(); next; next = this.#asking.shift()) next.reject(error);
    for (const next of [...this.#short.clear(), ...this.#long.clear()]) next.reject(error);
  }
}

/** For reads that no client has asked for. */
const BY_ITSELF: ReadTurn = { owner: undefined, isShort: true };

function failed(error: Error): StreamError {
  return new StreamError("storage-failed", error.message);
}

/** Reading this many messages takes hardly any time, whatever the filter. */
const SHORT = 250;

/** What a {@linkcode StoreStreamReader} needs of its store. */
export interface ReaderHost {
  readonly reader: StoreReader;
  /** The number of the last message of a stream; `undefined` if there is no such stream. */
  lastSeq(stream: string): number | undefined;
  /** The number of the last of them that the database has. */
  readableSeq(stream: string): number;
  /** Writes those that only the journal has to the database. */
  save(stream: string): Promise<void>;
  /** A reader ended. */
  closed(reader: StoreStreamReader): void;
}

/** Reads a stream: it asks the thread for what is kept, and waits where there is nothing more. */
export class StoreStreamReader implements StreamReader {
  caughtUp = false;
  #place: ReplayPlace;
  readonly #host: ReaderHost;
  readonly #owner: number;
  /** What was begun to be read before it was asked for. */
  #prepared: Reading | undefined;
  /** What is being read. */
  #reading: Reading | undefined;
  readonly #more = new Condition();
  #isClosed = false;
  #isDeleted = false;

  /** Begins at a place. @param owner Whose readers take turns with those of others. */
  constructor(host: ReaderHost, place: ReplayPlace, owner: number) {
    this.#host = host;
    this.#place = place;
    this.#owner = owner;
  }

  get next(): number {
    return this.#place.next;
  }

  async read(): Promise<ReadBatch | undefined> {
    const { stream } = this.#place;
    while (!this.#isClosed) {
      const last = this.#host.lastSeq(stream);
      if (last === undefined || this.#isDeleted) throw gone(stream);
      if (this.#place.next > last) {
        if (!this.caughtUp) {
          this.caughtUp = true;
          return { bytes: new Uint8Array(0), count: 0, missed: 0 };
        }
        await this.#more.wait();
        continue;
      }
      if (this.#place.next > this.#host.readableSeq(stream)) {
        await this.#rows(stream);
        continue;
      }
      this.#reading = this.#prepared ?? this.#host.reader.read(this.#place, this.#turn);
      this.#prepared = undefined;
      const part = await this.#reading.part;
      this.#reading = undefined;
      if (part === undefined) throw gone(stream);
      // The part may be of another stream of the same name.
      if (this.#isDeleted) {
        this.release(part);
        throw gone(stream);
      }
      this.#place = { ...this.#place, next: part.next };
      if (part.count > 0 || part.missed > 0) return part;
      this.release(part);
    }
    return undefined;
  }

  /** Waits until the database has messages that are not there yet. */
  async #rows(stream: string): Promise<void> {
    const more = this.#more.wait();
    // Where there is no room for them, the next commit tells when there is.
    await this.#host.save(stream).then(() => this.wake(), () => {});
    await more;
  }

  prepare(): void {
    if (this.#prepared || this.#isClosed) return;
    if (this.#place.next > this.#host.readableSeq(this.#place.stream)) return;
    this.#prepared = this.#host.reader.prepare(this.#place, this.#turn);
    // Whoever asks for it is told.
    this.#prepared?.part.catch(() => {});
  }

  /** It is a short read if few messages are left up to the end. */
  get #turn(): ReadTurn {
    const { stream, next, lastUntil } = this.#place;
    const isShort = next > lastUntil && (this.#host.lastSeq(stream) ?? 0) - next < SHORT;
    return { owner: this.#owner, isShort };
  }

  release({ bytes }: ReadBatch): void {
    this.#host.reader.giveBack(bytes);
  }

  /** Whether it waits at the end. */
  get isWaiting(): boolean {
    return this.#more.isAwaited;
  }

  /** The stream's name. */
  get stream(): string {
    return this.#place.stream;
  }

  /** The stream has more messages. */
  wake(): void {
    this.#more.notify();
  }

  /** The stream was deleted; another of the same name is another stream. */
  deleted(): void {
    this.#isDeleted = true;
    this.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#prepared?.part.then((part) => part && this.#host.reader.giveBack(part.bytes), () => {});
    for (const reading of [this.#prepared, this.#reading]) reading?.giveUp();
    this.#prepared = undefined;
    this.#host.closed(this);
    this.wake();
  }
}

function gone(stream: string): StreamError {
  return new StreamError("no-stream", `The stream ${stream} was deleted`);
}
