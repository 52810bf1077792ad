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
  /** Reads the first messages of a stream, which has as many. @returns How many came. */
  replay(sync: Sync, name: string, count: number): Promise<number>;
  /**
   * Takes so many messages of a stream as a new consumer, and acknowledges each of them; at most
   * {@linkcode MAX_UNACKED} are not acknowledged at one time.
   *
   * @returns How many came.
   */
  consume(sync: Sync, name: string, count: number): Promise<number>;
}

/** Messages that a consumer has at one time. */
export const MAX_UNACKED = 256;

const SIZES: Readonly<Record<string, number>> = { "100 B": 100, "1 KiB": 1_024 };

/** How each kind of commit is called. */
const SYNCS: Readonly<Record<Sync, string>> = { always: "fsynced", interval: "interval" };

/** For how long publications are counted, and for how long they run before. */
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
      return await rateOf(count, () => client.replay("interval", name, count));
    };
  }
  for (const [sync, title] of Object.entries(SYNCS) as [Sync, string][]) {
    rows[`consume with acks, ${title}, 100 B`] = async () => {
      const name = await fill(sync, SIZES["100 B"]!, CONSUMED);
      return await rateOf(CONSUMED, () => client.consume(sync, name, CONSUMED));
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

async function rateOf(count: number, work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now();
  const came = await work();
  if (came !== count) throw new Error(`${came} of ${count} messages came`);
  return count / (performance.now() - startedAt) * 1_000;
}
