import { checkGiven, checkOptions } from "../../../../base/option_kinds.ts";
import { bytesOption, FINITE, numericOption } from "../../../../base/numeric_options.ts";
import type { Frame } from "../../../../frame/mod.ts";
import { type FileLock, SqliteError } from "../../../../sqlite/mod.ts";
import { StreamError } from "../stream_error.ts";
import { NO_TOTALS, StreamTopics } from "../stream_topics.ts";
// The broker that is given the store needs it.
import "../stream_work.ts";
import type {
  ConsumerFigures,
  ConsumerMember,
  ConsumerSelection,
  MemberInit,
  OnStored,
  ReaderInit,
  Settlement,
  StoreCopy,
  StreamFigures,
  StreamReader,
  StreamSettings,
  StreamStart,
  StreamStore,
  StreamStoreEvents,
  StreamTotals,
} from "../stream_store.ts";
import { lockStore } from "./exchange.ts";
import type { StoreReport, WrittenFigures } from "./orders.ts";
import { remainsOf } from "./remains.ts";
import { DATABASE_NAME } from "./schema.ts";
import { COPY_PREFIX, FileCopy, removeCopies } from "./store_copy.ts";
import { STORE_MEMORY_BYTES, type StoreMemory, storeMemory } from "./store_memory.ts";
import { StoreMember } from "./store_member.ts";
import { StoreReader, StoreStreamReader } from "./store_reader.ts";
import { StoreWriter } from "./store_writer.ts";

/** A page of the database. */
const PAGE_BYTES = 4_096;

/** The tables alone take some 100 KiB. */
const DISK = bytesOption(undefined, 1_048_576, FINITE);
const MEMORY = bytesOption(STORE_MEMORY_BYTES, 0);

/** Options of {@linkcode openStreamStore}. */
export interface StreamStoreOptions {
  /**
   * The most that the database may take, in bytes; beside it is a log of some 20 MiB.
   *
   * @default {what the disk has}
   */
  readonly maxDiskBytes?: number | undefined;
  /**
   * The most that it keeps in memory, in bytes: pages of its file, publications that wait for a commit,
   * hashes of message ids. More than the default is of no use.
   *
   * @default {67_108_864}
   */
  readonly maxMemoryBytes?: number | undefined;
}

/**
 * Opens a store of streams in a folder, which is made if there is none: an SQLite database,
 * `socktool.db`, written by one thread and read by another. What is confirmed as stored is on the
 * disk; messages of streams whose `sync` is `interval` reach it within a second.
 *
 * While one client alone sends something to the broker, the thread of the broker sleeps until its
 * publications are stored, for 2 ms at most.
 *
 * @throws {TypeError | RangeError} if an option is no number, or too small, or the folder no text.
 * @throws {SqliteError} `locked` if another broker has the folder; `damaged`, `newer`, `foreign`, …
 */
export async function openStreamStore(
  folder: string,
  options: StreamStoreOptions = {},
): Promise<StreamStore> {
  checkGiven("folder", folder, "text");
  checkOptions(options, {});
  const maxDiskBytes = numericOption("maxDiskBytes", options.maxDiskBytes, DISK);
  const memory = storeMemory(numericOption("maxMemoryBytes", options.maxMemoryBytes, MEMORY));
  const path = `${folder}/${DATABASE_NAME}`;
  await makeFolder(folder, path);
  const lock = await lockStore(path);
  try {
    const remains = remainsOf(path);
    if (remains !== undefined) throw new SqliteError("damaged", path, "open", remains);
    await removeCopies(folder);
    const store = new SqliteStreamStore(path, lock, memory, maxDiskBytes);
    await store.open();
    return store;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error instanceof SqliteError && error.code === "damaged"
      ? brokenStore(error, folder)
      : error;
  }
}

function brokenStore(error: SqliteError, folder: string): SqliteError {
  const reason = `${error.reason}. 'socktool stream verify --store ${folder}' tells what is ` +
    `broken, 'socktool stream repair --store ${folder}' keeps what is whole`;
  return new SqliteError("damaged", error.path, error.action, reason, { cause: error });
}

async function makeFolder(folder: string, path: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return;
    const reason = "its folder cannot be made; name another one, or make it first";
    throw new SqliteError("failed", path, "open", reason, { cause });
  }
}

type RetainedValue = ReturnType<StreamStore["takeRetained"]>[number];

class SqliteStreamStore implements StreamStore {
  events: StreamStoreEvents | undefined;
  readonly streams: Map<string, StreamFigures> = new Map();
  readonly unseen = undefined;
  totals: StreamTotals = NO_TOTALS;
  readonly #lock: FileLock;
  readonly #writer: StoreWriter;
  readonly #reader: StoreReader;
  readonly #path: string;
  readonly #cacheBytes: number;
  readonly #members = new Map<number, StoreMember>();
  readonly #readers = new Map<string, Set<StoreStreamReader>>();
  /** The numbers of the last messages that the database has. */
  readonly #readable = new Map<string, number>();
  readonly #topics = new StreamTopics(this.streams);
  #retained: readonly RetainedValue[] = [];
  #lastMember = 0;
  #isCopying = false;
  /** Resolves when readers see what only the journal has, after the writer has failed. */
  #shown: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    path: string,
    lock: FileLock,
    memory: StoreMemory,
    maxDiskBytes: number | undefined,
  ) {
    this.#path = path;
    this.#cacheBytes = memory.readerCacheBytes;
    this.#lock = lock;
    const events = {
      committed: (report: StoreReport) => this.#committed(report),
      retainedWaits: (error: StreamError) => this.events?.retainedWaits(error),
      failed: (error: StreamError) => this.#failed(error),
      isAwaited: (stream: string) => {
        for (const { isWaiting } of this.#readers.get(stream) ?? []) if (isWaiting) return true;
        return false;
      },
      figuresOf: (stream: string) => this.streams.get(stream),
      isAlone: () => this.events?.isAlone() ?? false,
    };
    const maxPages = maxDiskBytes === undefined ? undefined : Math.ceil(maxDiskBytes / PAGE_BYTES);
    this.#writer = new StoreWriter(path, events, memory, maxPages);
    this.#reader = new StoreReader();
  }

  /** Resolves when the database is open. */
  async open(): Promise<void> {
    try {
      const { streams, retained } = await this.#writer.opened;
      for (const figures of streams) this.#note(figures);
      await this.#reader.open(this.#path, this.#cacheBytes);
      this.#retained = retained;
    } catch (error) {
      await Promise.all([this.#writer.close(), this.#reader.close()]);
      throw error;
    }
  }

  get failure(): StreamError | undefined {
    return this.#writer.failure;
  }

  streamOf(topic: string, visited: (nodes: number) => void): string | undefined {
    return this.#topics.of(topic, visited);
  }

  figures(name?: string): Promise<readonly StreamFigures[]> {
    const all = [...this.streams.values()];
    return Promise.resolve(name === undefined ? all : all.filter((each) => each.name === name));
  }

  append(stream: string, frame: Frame, owner: number, onStored?: OnStored): void {
    this.#writer.append(stream, frame, owner, onStored);
  }

  room(owner: number, bytes: number): Promise<void> | undefined {
    return this.#writer.room(owner, bytes);
  }

  async create(name: string, settings: StreamSettings): Promise<StreamFigures> {
    return await this.#writer.ask({ kind: "create", name, settings }) as StreamFigures;
  }

  async update(name: string, settings: Partial<StreamSettings>): Promise<StreamFigures> {
    return await this.#writer.ask({ kind: "update", name, settings }) as StreamFigures;
  }

  async delete(name: string): Promise<void> {
    await this.#writer.ask({ kind: "delete", name });
  }

  async purge(
    name: string,
    beforeSeq: number | undefined,
    topic: string | undefined,
  ): Promise<StreamFigures> {
    return await this.#writer.ask({ kind: "purge", name, beforeSeq, topic }) as StreamFigures;
  }

  async read({ stream, start, owner, ...init }: ReaderInit): Promise<StreamReader> {
    const place = await this.#placeOf(stream, start, owner);
    if (place === undefined) throw noStream(stream);
    const host = {
      reader: this.#reader,
      lastSeq: (name: string) => this.streams.get(name) && this.#lastSeq(name),
      readableSeq: (name: string) => this.#readableSeq(name),
      save: (name: string) => this.#save(name),
      closed: (reader: StoreStreamReader) => this.#readers.get(reader.stream)?.delete(reader),
    };
    const reader = new StoreStreamReader(host, { ...place, ...init, stream }, owner);
    const others = this.#readers.get(stream);
    if (others) others.add(reader);
    else this.#readers.set(stream, new Set([reader]));
    return reader;
  }

  async #placeOf(stream: string, start: StreamStart, owner: number) {
    await this.#shown;
    const isLast = "from" in start && start.from === "last";
    const lastSeq = this.#lastSeq(stream);
    const isBehind = this.#readableSeq(stream) < lastSeq;
    if ("from" in start && start.from === "new" && isBehind) {
      return await this.#reader.begin(stream, { fromSeq: lastSeq + 1 }, owner);
    }
    const isSaved = this.failure !== undefined;
    if (!isSaved && (isLast || isBehind && "fromTimeMs" in start)) await this.#save(stream);
    return await this.#reader.begin(stream, start, owner);
  }

  async join(init: MemberInit): Promise<ConsumerMember> {
    const id = ++this.#lastMember;
    const host = {
      hungry: (member: number) => this.#writer.tell({ kind: "hungry", member }),
      left: (member: number, counted: boolean) => {
        this.#members.delete(member);
        this.#writer.tell({ kind: "leave", member, counted });
      },
    };
    const member = new StoreMember(id, host);
    // The commit may end it too: its consumer may be deleted in it.
    this.#members.set(id, member);
    try {
      const figures = await this.#writer.ask({ kind: "join", member: id, init });
      member.figures = figures as ConsumerFigures;
      return member;
    } catch (error) {
      this.#members.delete(id);
      throw error;
    }
  }

  async settle(settlement: Settlement): Promise<void> {
    await this.#writer.ask({ kind: "settle", settlement });
  }

  async consumers(
    stream: string,
    which: ConsumerSelection = {},
  ): Promise<readonly ConsumerFigures[]> {
    const order = { kind: "consumers", stream, which } as const;
    return await this.#writer.ask(order) as readonly ConsumerFigures[];
  }

  async deleteConsumer(stream: string, consumer: string): Promise<void> {
    await this.#writer.ask({ kind: "delete-consumer", stream, consumer });
  }

  async resetConsumer(
    stream: string,
    consumer: string,
    start: StreamStart,
  ): Promise<ConsumerFigures> {
    const order = { kind: "reset-consumer", stream, consumer, start } as const;
    return await this.#writer.ask(order) as ConsumerFigures;
  }

  async redrive(stream: string, consumer: string): Promise<number> {
    return await this.#writer.ask({ kind: "redrive", stream, consumer }) as number;
  }

  takeRetained(): readonly RetainedValue[] {
    const retained = this.#retained;
    this.#retained = [];
    return retained;
  }

  retain(topic: string, frame: Uint8Array | undefined): void {
    this.#writer.retain(topic, frame);
  }

  async backup(path: string, signal?: AbortSignal): Promise<void> {
    // Reading for somebody else goes on meanwhile.
    const reader = new StoreReader();
    try {
      await reader.open(this.#path, this.#cacheBytes);
      await reader.backup(path, true, signal);
    } finally {
      await reader.close();
    }
  }

  async copy(signal?: AbortSignal): Promise<StoreCopy> {
    if (this.#isCopying) {
      const message = "Another copy of the store is being sent; try again in a second";
      throw new StreamError("unavailable", message);
    }
    this.#isCopying = true;
    const path = `${
      this.#path.slice(0, -DATABASE_NAME.length)
    }${COPY_PREFIX}${crypto.randomUUID()}`;
    const done = () => void (this.#isCopying = false);
    try {
      await this.backup(path, signal);
      return await FileCopy.open(path, done);
    } catch (error) {
      done();
      await Deno.remove(path).catch(() => {});
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    for (const readers of this.#readers.values()) for (const reader of readers) reader.close();
    for (const member of [...this.#members.values()]) member.close(false);
    await this.#reader.close();
    await this.#writer.close();
    await this.#lock[Symbol.asyncDispose]();
  }

  #note({ readableSeq, ...figures }: WrittenFigures): void {
    this.streams.set(figures.name, figures);
    this.#readable.set(figures.name, readableSeq);
  }

  /** The number of the last message that the database has. */
  #readableSeq(stream: string): number {
    return this.#readable.get(stream) ?? 0;
  }

  /** The number of the last message that there is for readers, now or soon. */
  #lastSeq(stream: string): number {
    if (this.failure) return this.#readableSeq(stream);
    return this.streams.get(stream)?.lastSeq ?? 0;
  }

  /** Has the database have all messages of a stream. */
  async #save(stream: string): Promise<void> {
    await this.#writer.ask({ kind: "save", stream });
  }

  #committed(report: StoreReport): void {
    const { appended, changed, deleted, deliveries, ended, deadLetters, totals } = report;
    if (totals) this.totals = totals;
    for (const each of appended) {
      const { name } = each;
      this.streams.set(name, { ...this.streams.get(name)!, ...each });
      for (const reader of this.#readers.get(name) ?? []) reader.wake();
    }
    let isRouted = deleted.length > 0;
    for (const name of deleted) {
      this.streams.delete(name);
      this.#readable.delete(name);
      for (const reader of this.#readers.get(name) ?? []) reader.deleted();
      this.#readers.delete(name);
    }
    for (const figures of changed) {
      const before = this.streams.get(figures.name)?.settings.topics;
      isRouted ||= before?.join() !== figures.settings.topics.join();
      this.#note(figures);
      for (const reader of this.#readers.get(figures.name) ?? []) reader.wake();
    }
    if (isRouted) {
      this.#topics.changed();
      this.events?.topicsChanged();
    }
    for (const { member, ...batch } of deliveries) this.#members.get(member)?.deliver(batch);
    for (const id of ended) {
      this.#members.get(id)?.end(new StreamError("no-consumer", "The consumer was deleted"));
    }
    for (const { topic, frame } of deadLetters) this.events?.deadLetter(topic, frame);
  }

  #failed(error: StreamError): void {
    for (const member of this.#members.values()) member.end(error);
    this.#shown = this.#showJournal();
    this.events?.failed(error);
  }

  /** Has readers see what was confirmed, though the database will not have it before the next start. */
  async #showJournal(): Promise<void> {
    const lasts = new Map([...this.streams.values()].map(({ name, lastSeq }) => [name, lastSeq]));
    try {
      await this.#reader.showJournal(lasts);
      for (const [name, last] of lasts) this.#readable.set(name, last);
    } catch {
      // The disk may be gone: then it is read what can be.
    }
    for (const readers of this.#readers.values()) for (const reader of readers) reader.wake();
  }
}

function noStream(name: string): StreamError {
  return new StreamError("no-stream", `There is no stream ${JSON.stringify(name)}`);
}
