import { Condition } from "../../../../base/condition.ts";
import type { Frame } from "../../../../frame/mod.ts";
import type { OnStored, StreamFigures } from "../stream_store.ts";
import { type Account, OpenAppend, type Share } from "./open_append.ts";
import { publicationCost, settlingCost } from "./order_cost.ts";
import type { OrderResult, StoreOrder } from "./orders.ts";

/** Orders in one commit, and those of them that manage streams and consumers. */
const MAX_BATCH_ORDERS = 10_000;
const MAX_MANAGING = 4;

/**
 * What a commit takes of what may wait: much where one connection floods a stream alone, as that costs
 * the least; little within a second after somebody else has stored something, who would wait for it.
 */
const BATCH_SHARE = 1 / 2;
const SHARED_BATCH_SHARE = 1 / 8;
const SHARED_MS = 1_000;

/**
 * Connections with at most `LITTLE` bytes waiting go first. They need not wait for room either, until
 * 1.5 times the limit waits.
 */
const LITTLE = 32_768;
const MOST = 1.5;

/** Memory that publications are first put into, and pieces of it that are kept: 2 MiB each at most. */
const FIRST_BYTES = 4_096;
const MAX_KEPT = 4;
const MAX_KEPT_BYTES = 2_097_152;

/** While there is no room for retained values, no more topics wait to be cleared once this many wait. */
const MAX_CLEARED = 100_000;

const NO_BATCH = { bytes: Infinity, cost: Infinity };

/** An order on its way, and who waits for the answer. */
export interface Waiting {
  readonly order: StoreOrder;
  /** What it counts for. */
  readonly cost: number;
  /** Whose that is. */
  readonly shares: readonly Share[];
  readonly onResult: ((result: OrderResult) => void) | undefined;
}

/** What {@linkcode WaitingOrders} looks at of streams. */
interface Streams {
  /** Whether somebody waits at the end of a stream to read it. */
  readonly isAwaited: (stream: string) => boolean;
  /** A stream as it was committed last. */
  readonly figuresOf: (stream: string) => StreamFigures | undefined;
}

/**
 * What waits for the next commit, in the order in which it came. But publications of connections of
 * which little waits go first: one that floods a stream keeps others waiting no longer than a commit
 * takes that is under way. Those of one connection stay in their order.
 */
export class WaitingOrders {
  readonly #streams: Streams;
  #waiting: (Waiting | OpenAppend)[] = [];
  /** Those of them that publications may be added to. */
  readonly #open = new Map<string, OpenAppend>();
  /** Publications that go before all of these, by their stream. */
  readonly #first = new Map<string, OpenAppend>();
  /** What each connection has waiting, and the one that was asked for last. */
  readonly #accounts = new Map<number, Account>();
  #account: Account | undefined;
  /** Purges that wait: no publication that came later may go before one. */
  #purges = 0;
  /** Retained values that wait: of each topic only the last. */
  readonly #retains = new Map<string, Uint8Array | undefined>();
  /** Some found no room: whether all wait for some time, or are tried next, without anything else. */
  #retry: "later" | "next" | undefined;
  /** Memory of committed publications, for the next ones: it need not be collected after each commit. */
  readonly #memory: ArrayBuffer[] = [];
  /** What all have waiting, and what is being written. */
  #cost = 0;
  /** What of it waits behind others. */
  #behindCost = 0;
  readonly #maxCost: number;
  readonly #room = new Condition();
  readonly #maxBatchCost: number;
  readonly #maxSharedCost: number;
  /** When somebody had something stored beside what waits of others. */
  #sharedAt = -Infinity;

  /** @param maxCost While more than this waits, publishers wait too. */
  constructor(streams: Streams, maxCost: number) {
    this.#streams = streams;
    this.#maxCost = maxCost;
    this.#maxBatchCost = maxCost * BATCH_SHARE;
    this.#maxSharedCost = maxCost * SHARED_BATCH_SHARE;
  }

  /** Whether there is anything to hand over. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#first.size === 0 && !this.#hasRetains;
  }

  get #hasRetains(): boolean {
    return this.#retains.size > 0 && this.#retry !== "later";
  }

  /**
   * What all that waits takes in a batch of publications at most, and what it counts for; `Infinity` if
   * something else waits.
   */
  get batchSize(): { readonly bytes: number; readonly cost: number } {
    let bytes = 0;
    let cost = 0;
    if (this.#hasRetains) return NO_BATCH;
    for (const waiting of [...this.#first.values(), ...this.#waiting]) {
      if (!(waiting instanceof OpenAppend)) return NO_BATCH;
      bytes += waiting.batchBytes;
      cost += waiting.cost;
    }
    return { bytes, cost };
  }

  /** Adds a publication of a connection. */
  append(stream: string, frame: Frame, owner: number, onStored?: OnStored): void {
    const account = this.#accountOf(owner);
    const isFirst = account.behind === 0 && this.#purges === 0 &&
      account.cost + frame.bytes.length <= LITTLE;
    const open = isFirst ? this.#firstOf(stream) : this.#openOf(stream);
    const cost = open.add(frame, account, onStored);
    account.cost += cost;
    this.#cost += cost;
    if (isFirst) return;
    account.behind += cost;
    this.#behindCost += cost;
  }

  /** Adds an order. */
  push(order: StoreOrder, onResult: Waiting["onResult"]): void {
    const { kind } = order;
    // Publications that come later must not overtake what is ordered in between.
    if (kind !== "hungry" && kind !== "settle") this.#open.clear();
    if (kind === "purge") this.#purges++;
    const shares: Share[] = [];
    let cost = 0;
    if (kind === "settle") {
      const { settlement } = order;
      const { owner, stream } = settlement;
      cost = settlingCost(settlement, this.#streams.figuresOf(stream));
      const account = this.#accountOf(owner);
      account.cost += cost;
      this.#cost += cost;
      shares.push({ account, cost });
    }
    this.#waiting.push({ order, cost, shares, onResult });
  }

  /**
   * Keeps a topic's retained value, or forgets it.
   *
   * @returns whether it will be done: what values take is limited elsewhere, what cleared topics take is not.
   */
  retain(topic: string, frame: Uint8Array | undefined): boolean {
    const { size } = this.#retains;
    const isExcess = this.#retry !== undefined && frame === undefined && size >= MAX_CLEARED;
    if (isExcess && !this.#retains.has(topic)) return false;
    this.#retains.set(topic, frame);
    return true;
  }

  /** Takes a retained value back that found no room. A newer one of its topic replaces it. */
  retainAgain(topic: string, frame: Uint8Array | undefined): void {
    if (!this.#retains.has(topic)) this.#retains.set(topic, frame);
  }

  /**
   * When retained values are handed over: with all else, unless some found no room. Then they go alone,
   * as nothing else is to be refused because of them, and not at once.
   */
  set retry(when: "later" | "next" | undefined) {
    this.#retry = when;
  }

  /** What a connection waits for before it adds something; `undefined` if nothing. */
  room(owner: number, bytes: number): Promise<void> | undefined {
    if (this.#cost <= this.#maxCost) return undefined;
    const own = this.#accounts.get(owner)?.cost ?? 0;
    if (own + bytes <= LITTLE && this.#cost <= MOST * this.#maxCost) return undefined;
    return this.#room.wait();
  }

  /** Takes out what the next commit is to do. */
  take(): Waiting[] {
    const batch: Waiting[] = [];
    if (this.#retry === "next" && this.#hasRetains) {
      this.#takeRetains(batch, this.#maxBatchCost);
      return batch;
    }
    let cost = 0;
    const maxCost = this.#isShared() ? this.#maxSharedCost : this.#maxBatchCost;
    const isFull = () => batch.length >= MAX_BATCH_ORDERS || cost >= maxCost;
    // All of them: what waits behind may be of the same connections.
    for (const open of this.#first.values()) batch.push(this.#closed(open));
    this.#first.clear();
    const later: Waiting[] = [];
    let next = 0;
    let managing = 0;
    for (const waiting of this.#waiting) {
      if (isFull()) break;
      next++;
      if (waiting instanceof OpenAppend) {
        if (this.#open.get(waiting.stream) === waiting) this.#open.delete(waiting.stream);
        for (const { account, cost } of waiting.shares) account.behind -= cost;
        this.#behindCost -= waiting.cost;
        batch.push(this.#closed(waiting));
      } else if (isManaging(waiting.order) && ++managing > MAX_MANAGING) {
        later.push(waiting);
        continue;
      } else {
        if (waiting.order.kind === "purge") this.#purges--;
        batch.push(waiting);
      }
      cost += waiting.cost;
    }
    this.#waiting = [...later, ...this.#waiting.slice(next)];
    if (this.#hasRetains) this.#takeRetains(batch, maxCost - cost);
    return batch;
  }

  #takeRetains(batch: Waiting[], maxBytes: number): void {
    let bytes = 0;
    for (const [topic, frame] of this.#retains) {
      if (batch.length >= MAX_BATCH_ORDERS || bytes >= maxBytes) break;
      this.#retains.delete(topic);
      bytes += frame?.length ?? 0;
      const order = { kind: "retain", topic, frame } as const;
      batch.push({ order, cost: 0, shares: [], onResult: undefined });
    }
  }

  /** Something that was taken out is done: it makes room. */
  done({ shares }: Waiting): void {
    for (const { account, cost } of shares) {
      this.#cost -= cost;
      account.cost -= cost;
      if (account.cost > 0) continue;
      this.#accounts.delete(account.owner);
      if (this.#account === account) this.#account = undefined;
    }
  }

  /** Lets publishers go on, if there is room. */
  admit(): void {
    if (this.#cost <= this.#maxCost / 2) this.#room.notify();
  }

  /** Takes memory for later publications. */
  keep(memory: readonly ArrayBuffer[]): void {
    for (const each of memory) {
      if (this.#memory.length < MAX_KEPT && each.byteLength <= MAX_KEPT_BYTES) {
        this.#memory.push(each);
      }
    }
  }

  /** Takes out all that waits: nothing is written any more. */
  clear(): Waiting[] {
    const all = [...this.#first.values(), ...this.#waiting]
      .map((each) => each instanceof OpenAppend ? this.#closed(each) : each);
    this.#waiting = [];
    this.#purges = 0;
    for (const each of [this.#first, this.#open, this.#accounts, this.#retains]) each.clear();
    this.#account = undefined;
    this.#cost = this.#behindCost = 0;
    this.#room.notify();
    return all;
  }

  /** Whether there are connections that store little beside some that store much. */
  #isShared(): boolean {
    const now = performance.now();
    const isShared = this.#behindCost > 0 &&
      this.#first.values().some(({ shares }) => shares.some(({ account }) => account.behind === 0));
    if (isShared) this.#sharedAt = now;
    return now - this.#sharedAt < SHARED_MS;
  }

  #accountOf(owner: number): Account {
    if (this.#account?.owner === owner) return this.#account;
    let account = this.#accounts.get(owner);
    if (account === undefined) {
      account = { owner, cost: 0, behind: 0 };
      this.#accounts.set(owner, account);
    }
    return this.#account = account;
  }

  #firstOf(stream: string): OpenAppend {
    let open = this.#first.get(stream);
    if (open === undefined) this.#first.set(stream, open = this.#newAppend(stream));
    return open;
  }

  #openOf(stream: string): OpenAppend {
    let open = this.#open.get(stream);
    if (open === undefined || open.cost >= this.#maxBatchCost / 4) {
      this.#open.set(stream, open = this.#newAppend(stream));
      this.#waiting.push(open);
    }
    return open;
  }

  #newAppend(stream: string): OpenAppend {
    const memory = this.#memory.pop() ?? new ArrayBuffer(FIRST_BYTES);
    return new OpenAppend(stream, memory, publicationCost(this.#streams.figuresOf(stream)));
  }

  #closed(open: OpenAppend): Waiting {
    open.isAwaited = this.#streams.isAwaited(open.stream);
    const { order, cost, shares } = open;
    return { order, cost, shares, onResult: (result) => open.settle(result) };
  }
}

/**
 * Whether it manages a stream or a consumer, which may take a millisecond. Whoever asks for it asks for
 * nothing more until it is done, so what others ask for may overtake it.
 */
function isManaging({ kind }: StoreOrder): boolean {
  return MANAGING.has(kind);
}

const MANAGING: ReadonlySet<StoreOrder["kind"]> = new Set<StoreOrder["kind"]>([
  "create",
  "update",
  "delete",
  "join",
  "consumers",
  "delete-consumer",
  "reset-consumer",
  "redrive",
]);
