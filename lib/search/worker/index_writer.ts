/**
 * The engine's side of the index worker.
 *
 * @module
 */
import { Condition } from "../../base/condition.ts";
import { useLargeMemory } from "../../base/large_memory.ts";
import { WorkerThread } from "../../base/threads/worker_thread.ts";
import type { FileIdentity } from "../../sqlite/mod.ts";
import { SearchError } from "../error.ts";
import type {
  IndexJobOptions,
  IndexMessage,
  IndexRequest,
  WriteOperation,
  WrittenGroup,
} from "../index/index_job.ts";
import type { ObserverEvent } from "../observer.ts";
import { ERRORS, searchErrorOf } from "./thread_errors.ts";
import { GroupSize } from "./group_size.ts";
import { type Asker, WaitingLine } from "./waiting_line.ts";

/** What the writer tells the engine. */
export interface IndexWriterEvents {
  /** Something for the observer. */
  event(event: ObserverEvent): void;
  /** Entries changed: those with these keys, or without a list any. Comes before a write's answer. */
  changed(keys: readonly string[] | undefined): void;
  /** A pass over watched data failed. */
  passFailed(error: SearchError): void;
  /** The worker died and was started again. */
  replaced(reason: string): void;
}

interface PendingWrite extends Asker {
  /** What the client's turn counts. */
  readonly share: number;
  readonly operation: WriteOperation;
  readonly resolve: (outcome: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes that share a transaction. */
interface WriteGroup {
  readonly writes: readonly PendingWrite[];
  /** The code units of text in them. */
  readonly length: number;
}

const NOTHING: WriteGroup = { writes: [], length: 0 };

type Thread = WorkerThread<IndexRequest, IndexMessage>;

/** Writes that wait at most. */
const MAX_PENDING = 4096;
/** Code units of text in them at most. */
const MAX_PENDING_LENGTH = 64 * 1024 * 1024;
/** Writes in one transaction: those that came while the one before was written. */
const MAX_BATCH = 256;
/** What the shortest write takes, as code units of text. */
const LEAST_SIZE = 64;
/** A write of this size, some 5 ms, is a whole turn of its client. */
const WHOLE_TURN = 16 * 1024;

/** Writes an index through a worker of its own. */
export class IndexWriter {
  readonly #url: URL;
  #options: IndexJobOptions | undefined;
  readonly #events: IndexWriterEvents;
  #thread: Thread | undefined;
  #opening = Promise.withResolvers<void>();
  #closing: PromiseWithResolvers<void> | undefined;
  #closed: Promise<void> | undefined;
  readonly #idle = new Condition();
  readonly #pending = new WaitingLine<PendingWrite>();
  #pendingLength = 0;
  readonly #groupSize = new GroupSize();
  /** The file that the index is; `undefined` until the first worker is ready. */
  #identity: FileIdentity | undefined;
  #inFlight: WriteGroup | undefined;

  /** @param url The worker's module. */
  constructor(url: URL, events: IndexWriterEvents) {
    this.#url = url;
    this.#events = events;
  }

  /**
   * Loads the worker, which takes some 30 ms, without telling it yet what to open.
   *
   * @param readsData Whether it will read data; what does that takes as long again.
   */
  load(readsData: boolean): void {
    this.#start();
    if (readsData) this.#thread!.post({ type: "prepare" });
  }

  #start(): void {
    useLargeMemory();
    this.#thread ??= new WorkerThread(this.#url, {
      name: "index",
      errors: ERRORS,
      onReport: (message) => this.#onMessage(message),
      onDied: (error) => this.#onDied(error),
    });
  }

  /**
   * Opens the index and takes the data in.
   *
   * @param signal Ends it; the promise is then rejected with the signal's reason.
   * @returns the file that the index is.
   * @throws {SearchError} what opening it failed with; the worker is then gone.
   */
  async open(options: IndexJobOptions, signal: AbortSignal | undefined): Promise<FileIdentity> {
    signal?.throwIfAborted();
    this.#options = options;
    const onAbort = () => this.#thread?.post({ type: "cancel" });
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#open();
      return this.#identity!;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Does one write; resolves after the commit.
   *
   * @param asker Whose write it is: they take turns, and each one's are done in their order.
   */
  write(operation: WriteOperation, { peer, network }: Asker = {}): Promise<boolean> {
    if (this.#closed !== undefined) {
      return Promise.reject(new SearchError("closed", "The search engine is closed"));
    }
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const length = lengthOf(operation);
    const share = Math.min(1, sizeOf(1, length) / WHOLE_TURN);
    const write: PendingWrite = { peer, network, share, operation, resolve, reject };
    if (!this.#makeRoom(write)) reject(this.#busyError());
    else if (this.#inFlight === undefined && this.#pending.size === 0) {
      this.#pending.pass(write);
      this.#send({ writes: [write], length });
    } else {
      this.#pending.push(write);
      this.#pendingLength += length;
      this.#sendNext();
    }
    return promise;
  }

  /** Finishes the writes that were accepted, then closes the index. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#inFlight !== undefined) await this.#idle.wait();
    if (this.#thread === undefined) return;
    this.#closing = Promise.withResolvers();
    this.#thread.post({ type: "close" });
    await this.#closing.promise;
    this.#thread?.terminate();
    this.#thread = undefined;
  }

  #open(): Promise<void> {
    this.#opening = Promise.withResolvers();
    this.#start();
    const options = { ...this.#options!, identity: this.#identity };
    this.#thread!.post({ type: "open", options });
    return this.#opening.promise;
  }

  #sendNext(): void {
    if (this.#inFlight !== undefined) return;
    if (this.#pending.size === 0) this.#idle.notify();
    else this.#send(this.#nextGroup());
  }

  #send(group: WriteGroup): void {
    // A worker that could not be started again is tried once more by each write.
    if (this.#thread === undefined) this.#open().catch(() => {});
    this.#inFlight = group;
    const operations = group.writes.map((write) => write.operation);
    const order = { type: "write", operations, length: group.length } as const;
    this.#thread!.post(order, memoryOf(operations));
  }

  /** Whether one more may wait; if need be, in the place of some of whom more wait. */
  #makeRoom(write: PendingWrite): boolean {
    const mostBefore = MAX_PENDING_LENGTH - lengthOf(write.operation);
    while (this.#pending.size >= MAX_PENDING || this.#pendingLength > mostBefore) {
      const heaviest = this.#pending.heaviest(write);
      if (heaviest === undefined) return false;
      this.#pending.delete(heaviest);
      this.#pendingLength -= lengthOf(heaviest.operation);
      heaviest.reject(this.#busyError());
    }
    return true;
  }

  #busyError(): SearchError {
    const message = `${this.#pending.size} writes wait already; try again in a moment`;
    return new SearchError("busy", message);
  }

  #nextGroup(): WriteGroup {
    const writes: PendingWrite[] = [];
    let length = 0;
    for (let next = this.#pending.next; next !== undefined; next = this.#pending.next) {
      const more = length + lengthOf(next.operation);
      const isFull = sizeOf(writes.length + 1, more) > this.#groupSize.most;
      if (writes.length > 0 && (isFull || writes.length === MAX_BATCH)) break;
      writes.push(this.#pending.shift()!);
      length = more;
    }
    this.#pendingLength -= length;
    return { writes, length };
  }

  #onMessage(message: IndexMessage): void {
    switch (message.type) {
      case "ready":
        this.#identity = message.identity;
        this.#opening.resolve();
        break;
      case "failed": {
        const error = searchErrorOf(message.error);
        this.#thread?.terminate();
        this.#thread = undefined;
        this.#opening.reject(error);
        this.#fail(error);
        break;
      }
      case "event":
        this.#events.event(message.event);
        break;
      case "changed":
        this.#events.changed(undefined);
        break;
      case "passFailed":
        this.#events.passFailed(searchErrorOf(message.error));
        break;
      case "written":
        this.#onWritten(message);
        break;
      case "refused":
        this.#fail(searchErrorOf(message.error));
        break;
      case "closed":
        this.#closing?.resolve();
        break;
    }
  }

  #onWritten({ outcomes, ms }: WrittenGroup): void {
    const { writes, length } = this.#inFlight ?? NOTHING;
    this.#inFlight = undefined;
    this.#groupSize.took(sizeOf(writes.length, length), ms);
    const changed = writes.filter((_, i) => outcomes[i]).map(({ operation }) => keyOf(operation));
    if (changed.length > 0) this.#events.changed(changed);
    for (const [i, write] of writes.entries()) write.resolve(outcomes[i] ?? false);
    this.#sendNext();
  }

  #fail(error: SearchError): void {
    const { writes } = this.#inFlight ?? NOTHING;
    this.#inFlight = undefined;
    for (const write of writes) write.reject(error);
    this.#sendNext();
  }

  #onDied(cause: Error): void {
    this.#thread = undefined;
    // Opening starts another one.
    if (this.#options === undefined) return this.#closing?.resolve();
    const reason = cause.message;
    const message = `The index's worker ended: ${reason}; another one takes its place. ` +
      "Whether the write was committed is not known";
    const error = new SearchError("worker-died", message, { cause });
    this.#opening.reject(error);
    this.#closing?.resolve();
    if (this.#identity !== undefined && this.#closed === undefined) {
      this.#events.replaced(reason);
      this.#open().catch((failure) => this.#events.passFailed(failure));
    }
    // The engine's cache does not know what was committed.
    this.#events.changed(undefined);
    this.#fail(error);
  }
}

/** What {@linkcode GroupSize} bounds. */
function sizeOf(writes: number, length: number): number {
  return LEAST_SIZE * writes + length;
}

function keyOf(operation: WriteOperation): string {
  return operation.kind === "put" ? operation.entry.key : operation.key;
}

/** The memory of operations' texts that is handed over instead of copied. */
function memoryOf(operations: readonly WriteOperation[]): ArrayBuffer[] {
  const memory: ArrayBuffer[] = [];
  for (const operation of operations) {
    if (operation.kind === "delete") continue;
    const { title, text } = operation.entry;
    if (typeof title !== "string") memory.push(title.buffer as ArrayBuffer);
    if (typeof text !== "string") memory.push(text.buffer as ArrayBuffer);
  }
  return memory;
}

function lengthOf(operation: WriteOperation): number {
  if (operation.kind === "delete") return operation.key.length;
  const { key, title, text } = operation.entry;
  return key.length + title.length + text.length;
}
