/**
 * What stores of messages are measured by, whatever client they are used through: the same rows, with
 * the same loops around the calls of each.
 *
 * @module
 */
import type { LibraryRows } from "../library_rows.ts";

/** When a message is on the disk: before it is confirmed, or within a second or later. */
export type Sync = "always" | "interval";

/** A client of one store. */
export interface StoringClient extends AsyncDisposable {
  /** Makes an empty stream. */
  create(sync: Sync, name: string): Promise<unknown>;
  /** Removes a stream. */
  remove(sync: Sync, name: string): Promise<unknown>;
  /** Stores a message; resolves when that is confirmed. */
  store(sync: Sync, name: string, content: Uint8Array): Promise<unknown>;
  /** Reads messages of a stream from its beginning until the tally is full. */
  replay(sync: Sync, name: string, tally: Tally): Promise<void>;
  /**
   * Takes messages of a stream as a new consumer until the tally is full, and acknowledges each of
   * them; at most {@linkcode MAX_UNACKED} are not acknowledged at one time. The server confirms each
   * acknowledgement.
   */
  consume(sync: Sync, name: string, tally: Tally): Promise<void>;
}

/** What has come. Every client shows the number and the content of each message, so that it has them. */
export class Tally {
  readonly #expected: number;
  readonly #bytesEach: number;
  #count = 0;
  #bytes = 0;
  #lastId: unknown;

  /** @param expected How many messages are to come. @param bytesEach The size of each content. */
  constructor(expected: number, bytesEach: number) {
    this.#expected = expected;
    this.#bytesEach = bytesEach;
  }

  /** Whether all have come. */
  get isFull(): boolean {
    return this.#count >= this.#expected;
  }

  /** Counts a message. */
  add(id: unknown, content: Uint8Array): void {
    this.#lastId = id;
    this.#bytes += content.length;
    this.#count++;
  }

  /** @throws {Error} if not all came whole. */
  check(): void {
    if (this.#count === this.#expected && this.#bytes === this.#expected * this.#bytesEach) return;
    const came = `${this.#count} messages of ${this.#bytes} bytes`;
    throw new Error(`${came} came, the last is ${this.#lastId}; ${this.#expected} were stored`);
  }
}

/** Messages that a consumer has at one time. */
export const MAX_UNACKED = 256;

const SIZES: Readonly<Record<string, number>> = { "100 B": 100, "1 KiB": 1_024 };

/** How each kind of commit is called. */
const SYNCS: Readonly<Record<Sync, string>> = { always: "fsynced", interval: "interval" };

/**
 * For how long messages are counted, and for how long they run before: all garbage was just collected,
 * and with it what the compiler knew of objects of which none was left.
 */
const MEASURED_MS = 1_000;
const WARM_UP_MS = 300;

/** What earlier rows leave to be cleared away is done with by then. */
const PAUSE_MS = 300;

/** Publications that fill a stream wait for their confirmation at one time. */
const FILLING = 2_048;

/** What is read of a stream, in bytes of content. */
const READ_BYTES = 24_000_000;
const MOST_READ = 120_000;

/** What is consumed of a stream, in messages. */
const CONSUMED = 20_000;

/** The rows of a client, all in messages per second. */
export function storingRows(client: StoringClient): LibraryRows {
  const rows: Record<string, () => Promise<number>> = {};
  let number = 0;
  const filled = new Map<string, Promise<string>>();
  const fill = (sync: Sync, bytes: number, count: number) => {
    const key = `${sync} ${bytes} ${count}`;
    let filling = filled.get(key);
    if (filling === undefined) {
      filled.set(key, filling = fillStream(client, sync, `filled${++number}`, bytes, count));
    }
    return filling;
  };
  for (const [sync, title] of Object.entries(SYNCS) as [Sync, string][]) {
    for (const outstanding of [1, 64, 1_024]) {
      for (const [size, bytes] of Object.entries(SIZES)) {
        rows[`store, ${title}, ${outstanding} outstanding, ${size}`] = () =>
          store(client, sync, `row${++number}`, outstanding, bytes);
      }
    }
  }
  for (const [size, bytes] of Object.entries(SIZES)) {
    rows[`replay, ${size}`] = async () => {
      const count = Math.min(MOST_READ, Math.floor(READ_BYTES / bytes));
      const name = await fill("interval", bytes, count);
      return await rateOf(count, bytes, (tally) => client.replay("interval", name, tally));
    };
  }
  for (const [sync, title] of Object.entries(SYNCS) as [Sync, string][]) {
    rows[`consume with acks, ${title}, 100 B`] = async () => {
      const bytes = SIZES["100 B"]!;
      const name = await fill(sync, bytes, CONSUMED);
      return await rateOf(CONSUMED, bytes, (tally) => client.consume(sync, name, tally));
    };
  }
  return { rows, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

async function store(
  client: StoringClient,
  sync: Sync,
  name: string,
  outstanding: number,
  bytes: number,
): Promise<number> {
  await client.create(sync, name);
  const content = new Uint8Array(bytes).fill(120);
  const begin = performance.now() + WARM_UP_MS;
  const end = begin + MEASURED_MS;
  let stored = 0;
  await Promise.all(Array.from({ length: outstanding }, async () => {
    while (true) {
      await client.store(sync, name, content);
      const now = performance.now();
      if (now >= end) break;
      if (now >= begin) stored++;
    }
  }));
  await client.remove(sync, name);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return stored / MEASURED_MS * 1_000;
}

async function fillStream(
  client: StoringClient,
  sync: Sync,
  name: string,
  bytes: number,
  count: number,
): Promise<string> {
  await client.create(sync, name);
  const content = new Uint8Array(bytes).fill(120);
  let left = count;
  await Promise.all(Array.from({ length: FILLING }, async () => {
    while (left-- > 0) await client.store(sync, name, content);
  }));
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  return name;
}

/** Reads messages over and over. */
async function rateOf(
  count: number,
  bytes: number,
  read: (tally: Tally) => Promise<void>,
): Promise<number> {
  const begin = performance.now() + WARM_UP_MS;
  let messages = 0;
  let tookMs = 0;
  while (tookMs < MEASURED_MS) {
    const tally = new Tally(count, bytes);
    const startedAt = performance.now();
    await read(tally);
    const endedAt = performance.now();
    tally.check();
    if (startedAt < begin) continue;
    messages += count;
    tookMs += endedAt - startedAt;
  }
  return messages / tookMs * 1_000;
}
