/**
 * What clients of publish/subscribe are measured by, whatever library they are of: the same rows,
 * with the same loops around the calls of each.
 *
 * @module
 */
import { type LibraryRows, warmed } from "./library_rows.ts";
import { median } from "./support.ts";

const OUTSTANDING = 64;

/** Publications a second for the latencies, and how many of them are measured. */
const PACED_PER_S = 5_000;
const PACED = 5_000;

/** How a program takes messages. */
export type Taking = "callback" | "for await" | "batches";

/** A client of one library. */
export interface MessagingClient extends AsyncDisposable {
  /** The ways in which the library gives messages. */
  readonly ways: readonly Taking[];
  /** Publishes; a promise is for its back-pressure. */
  publish(topic: string, content: Uint8Array | string): Promise<unknown> | void;
  /** Resolves when the server has dealt with all that was published. */
  flush(): Promise<unknown>;
  /** Subscribes; `take` is called with how many messages came. Resolves when that is in force. */
  receive(topic: string, way: Taking, take: (count: number) => void): Promise<AsyncDisposable>;
  /** Publishes a request, and waits for the reply. */
  request(topic: string, content: Uint8Array): Promise<unknown>;
}

/** The row of a way to take messages. Callbacks are what the first versions were measured by. */
export function receiveRow(size: string, way: Taking): string {
  return way === "callback" ? `receive ${size}` : `receive ${size}, ${way}`;
}

/** The rows of a client, in messages or requests per second, or milliseconds. */
export function messagingRows(client: MessagingClient): LibraryRows {
  const rows: Record<string, () => Promise<number>> = {
    "publish 16 B": warmed((count) => publish(client, 16, count), 60_000),
    "publish 1 KiB": warmed((count) => publish(client, 1_024, count), 30_000),
  };
  for (const way of client.ways) {
    rows[receiveRow("16 B", way)] = warmed((count) => receive(client, way, 16, count), 60_000);
    rows[receiveRow("1 KiB", way)] = warmed((count) => receive(client, way, 1_024, count), 30_000);
  }
  rows["request, 1 outstanding"] = warmed((count) => request(client, 1, count), 600);
  rows["request, 64 outstanding"] = warmed((count) => request(client, OUTSTANDING, count), 3_000);
  rows["p50 at 5,000/s"] = () => paced(client, (times) => median(times));
  rows["p99 at 5,000/s"] = () => paced(client, (times) => times[Math.floor(PACED * 0.99)]!);
  return { rows, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

async function publish(client: MessagingClient, bytes: number, count: number): Promise<number> {
  const content = new Uint8Array(bytes);
  const startedAt = performance.now();
  let sent: Promise<unknown> | void = undefined;
  for (let i = 0; i < count; i++) {
    sent = client.publish("bench.nobody", content);
    if (i % 1_000 === 0) await (sent ?? client.flush());
  }
  await sent;
  await client.flush();
  return count / (performance.now() - startedAt) * 1_000;
}

async function receive(
  client: MessagingClient,
  way: Taking,
  bytes: number,
  count: number,
): Promise<number> {
  const last = Promise.withResolvers<number>();
  let startedAt = 0;
  let first = 0;
  let received = 0;
  await using _subscription = await client.receive("bench.data", way, (more) => {
    if (received === 0) {
      startedAt = performance.now();
      first = more;
    }
    received += more;
    if (received === count) last.resolve(performance.now());
  });
  client.publish("bench.feed", JSON.stringify({ bytes, count }));
  const elapsedMs = await last.promise - startedAt;
  return (count - first) / elapsedMs * 1_000;
}

async function request(
  client: MessagingClient,
  outstanding: number,
  count: number,
): Promise<number> {
  const content = new Uint8Array(16);
  const startedAt = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: outstanding }, async () => {
    while (left-- > 0) await client.request("bench.ask", content);
  }));
  return count / (performance.now() - startedAt) * 1_000;
}

/** Publishes at a pace to itself: from when a message is due to when it is there. */
async function paced(
  client: MessagingClient,
  figure: (sorted: readonly number[]) => number,
): Promise<number> {
  const times: number[] = [];
  const done = Promise.withResolvers<void>();
  const startedAt = performance.now() + 20;
  const dueAt = (index: number) => startedAt + index * 1_000 / PACED_PER_S;
  await using _subscription = await client.receive("bench.paced", "callback", (count) => {
    const now = performance.now();
    for (let i = 0; i < count; i++) times.push(now - dueAt(times.length));
    if (times.length >= PACED) done.resolve();
  });
  const content = new Uint8Array(128);
  for (let sent = 0; sent < PACED;) {
    for (; sent < PACED && dueAt(sent) <= performance.now(); sent++) {
      client.publish("bench.paced", content);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await done.promise;
  return figure(times.sort((a, b) => a - b));
}
