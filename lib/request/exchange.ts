import { type Frame, FrameError, type OutgoingFrame } from "../frame/mod.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import {
  connectRequests,
  type RequestClient,
  type RequestClientOptions,
} from "./client/request_client.ts";

/** An answer, and what it answers. */
export interface Answer {
  /** Which request it answers, from 0. */
  readonly index: number;
  /** The answer; it owns its bytes. */
  readonly frame: Frame;
  /** From the request's sending to the arrival of its answer, in milliseconds. */
  readonly latencyMs: number;
}

/** How {@linkcode exchange} sends. */
export interface ExchangeOptions extends RequestClientOptions {
  /** Requests under way at one time. @default {1} */
  readonly pipeline?: number | undefined;
  /** The longest time for one answer. @default {30_000} */
  readonly answerTimeoutMs?: number | undefined;
}

const DEFAULT_ANSWER_TIMEOUT_MS = 30_000;

/** A request on its way, and what came of it. It never rejects: failures are values. */
interface Sent {
  readonly index: number;
  readonly request: OutgoingFrame;
  outcome: Promise<Outcome>;
}

type Outcome = { readonly frame: Frame; readonly latencyMs: number } | { readonly error: unknown };

/**
 * Sends requests one after the other, or pipelined, and yields their answers in order.
 *
 * A server may close its connection after an answer, as the Python tutorial's does: what it left
 * unanswered is sent again on a new connection, no more at once than it answers on one. So a
 * request may reach such a server twice. A server that closes without an answer, even to one
 * request alone, is an error.
 *
 * @example
 * ```ts
 * import { exchange, listen, serveRequests } from "@socktool/socktool";
 * import { assertEquals } from "@std/assert";
 *
 * const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
 * await using server = serveRequests(listener, (request) => ({ content: request.text() }));
 * const texts = [];
 * for await (const { frame } of exchange(server.address, [{ content: "a" }, { content: "b" }])) {
 *   texts.push(frame.text());
 * }
 * assertEquals(texts, ["a", "b"]);
 * ```
 *
 * @throws {ConnectionError} if the server cannot be reached, closes without an answer, or does not
 * answer in time.
 * @throws {FrameError} if it sends what is no frame.
 */
export async function* exchange(
  address: Address,
  requests: Iterable<OutgoingFrame> | AsyncIterable<OutgoingFrame>,
  options: ExchangeOptions = {},
): AsyncGenerator<Answer> {
  const { signal, answerTimeoutMs = DEFAULT_ANSWER_TIMEOUT_MS } = options;
  let depth = options.pipeline ?? 1;
  if (!(depth >= 1)) {
    throw new RangeError(`Cannot keep ${depth} requests under way: give 1 or more`);
  }
  const source = iterate(requests);
  const window: Sent[] = [];
  const connect = (maxOutstanding: number) =>
    connectRequests(address, { ...options, maxOutstanding });
  let client = await connect(depth);
  let giveUp: ((reason: unknown) => void) | undefined;
  const stop = () => {
    void client[Symbol.asyncDispose]();
    giveUp?.(signal?.reason);
  };
  signal?.addEventListener("abort", stop, { once: true });
  let next: Promise<IteratorResult<OutgoingFrame>> | undefined = read(source);
  let index = 0;
  try {
    while (true) {
      signal?.throwIfAborted();
      const head = window[0];
      // The next request, if there is room for it and it is there before the first answer.
      if (next && window.length < depth) {
        const reading: Promise<IteratorResult<OutgoingFrame>> = next;
        const got: IteratorResult<OutgoingFrame> | Outcome = head
          ? await Promise.race([reading, head.outcome])
          // With nothing under way, the end of the connection would wake nobody.
          : await new Promise((resolve, reject) => {
            giveUp = reject;
            reading.then(resolve, reject);
          });
        if ("value" in got) {
          next = got.done ? undefined : read(source);
          if (!got.done) {
            // A server may close a connection on which nothing came for long.
            if (!head && client.ended) client = await connect(depth);
            const outcome = send(client, got.value, answerTimeoutMs);
            window.push({ index: index++, request: got.value, outcome });
          }
          continue;
        }
      }
      if (!head) return;
      const outcome = await head.outcome;
      if ("frame" in outcome) {
        window.shift();
        yield { index: head.index, ...outcome };
        continue;
      }
      signal?.throwIfAborted();
      // A reset that requests behind the first one caused may have cost the answer to it.
      const isHopeless = client.answered === 0 && depth === 1;
      if (isHopeless || !isClosing(outcome.error)) throw outcome.error;
      depth = Math.max(1, Math.min(depth, client.answered));
      client = await connect(depth);
      resend(client, window, depth, answerTimeoutMs);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await client[Symbol.asyncDispose]();
    // Not awaited: a source that waits for input of its own would hold up the end.
    void Promise.resolve(source.return?.()).catch(() => {});
  }
}

/** The next request. That it failed is told to who waits for it; until then nobody may. */
function read<T>(source: AsyncIterator<T>): Promise<IteratorResult<T>> {
  const next = source.next();
  next.catch(() => {});
  return next;
}

function send(client: RequestClient, request: OutgoingFrame, timeoutMs: number): Promise<Outcome> {
  const sentAt = performance.now();
  return client.request(request, { timeoutMs }).then(
    (frame) => ({ frame, latencyMs: performance.now() - sentAt }),
    (error) => ({ error }),
  );
}

/** Sends again what was not answered, so many at once; the others when an answer makes room. */
function resend(client: RequestClient, window: Sent[], depth: number, timeoutMs: number): void {
  for (const [i, sent] of window.entries()) {
    const before = window[i - depth];
    sent.outcome = before
      ? before.outcome.then(() => send(client, sent.request, timeoutMs))
      : send(client, sent.request, timeoutMs);
  }
}

/** Whether the server has gone in a way that a new connection may mend. */
function isClosing(error: unknown): boolean {
  return error instanceof ConnectionError
    ? error.code === "closed" || error.code === "reset"
    : error instanceof FrameError && error.code === "truncated";
}

function iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> {
  if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]();
  const inner = items[Symbol.iterator]();
  return {
    next: () => Promise.resolve(inner.next()),
    return: () => Promise.resolve(inner.return?.() ?? { done: true, value: undefined }),
  };
}
