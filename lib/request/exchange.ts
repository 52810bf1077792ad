import { checkOptions } from "../base/option_kinds.ts";
import { valueKind } from "../base/value_kind.ts";
import { Deque } from "../base/deque.ts";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { timerMs } from "../base/timer_ms.ts";
import type { FrameInit } from "../frame/mod.ts";
import { FrameError } from "../frame/frame_error.ts";
import type { Address } from "../net/mod.ts";
import { ConnectionError } from "../net/connection_error.ts";
import type { Reply } from "./client/reply.ts";
import type { RequestClient } from "./client/request_client.ts";
import { connectRequests, type ConnectRequestsOptions } from "./connect_requests.ts";

/** An answer, and what it answers. */
export interface Answer {
  /** Which request it answers, from 0. */
  readonly index: number;
  /** The answer, also one that tells of a failure. It owns its bytes. */
  readonly reply: Reply;
  /** From the request's sending to the arrival of its answer, in milliseconds. */
  readonly latencyMs: number;
}

/** How {@linkcode exchange} sends. */
export interface ExchangeOptions extends Omit<ConnectRequestsOptions, "maxOutstanding"> {
  /** Requests under way at one time. @default {1} */
  readonly pipeline?: number | undefined;
  /** The longest time for one answer. @default {30_000} */
  readonly answerTimeoutMs?: number | undefined;
}

const PIPELINE = countOption(1, 1);
const DEFAULT_ANSWER_TIMEOUT_MS = 30_000;

/** A request on its way, and what came of it. It never rejects: failures are values. */
interface Sent {
  readonly index: number;
  readonly request: FrameInit;
  outcome: Promise<Outcome>;
}

type Outcome = { readonly reply: Reply; readonly latencyMs: number } | { readonly error: unknown };

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
 * import { exchange, serveRequests } from "@socktool/socktool/request";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveRequests("127.0.0.1:0", (request) => request.text());
 * const texts = [];
 * for await (const { reply } of exchange(server.address, ["a", "b"])) texts.push(reply.text());
 * assertEquals(texts, ["a", "b"]);
 * ```
 *
 * An answer that tells of a failure is an answer like any other here: see {@linkcode Reply.ok}.
 *
 * @throws {ConnectionError} if the server cannot be reached, closes without an answer, or does not
 * answer in time.
 * @throws {FrameError} if it sends what is no frame.
 * @throws {RangeError | TypeError} if a request cannot be encoded, or an option will not do.
 */
export async function* exchange(
  address: Address | string,
  requests: Iterable<FrameInit> | AsyncIterable<FrameInit>,
  options: ExchangeOptions = {},
): AsyncGenerator<Answer> {
  checkOptions(options, { signal: "signal" });
  const { signal } = options;
  const answerTimeoutMs = timerMs(
    "answerTimeoutMs",
    options.answerTimeoutMs,
    DEFAULT_ANSWER_TIMEOUT_MS,
  );
  let depth = numericOption("pipeline", options.pipeline, PIPELINE);
  // A text is iterable too: each letter would be a request; and so are bytes.
  const isList = typeof requests === "object" && requests !== null &&
    !(requests instanceof Uint8Array) &&
    (Symbol.iterator in requests || Symbol.asyncIterator in requests);
  if (!isList) {
    throw new TypeError(`Cannot exchange ${valueKind(requests)}: give a list of requests`);
  }
  const source = iterate(requests);
  const window = new Deque<Sent>();
  const greetings = options.greeting === undefined ? 0 : 1;
  const connect = (maxOutstanding: number) =>
    connectRequests(address, { ...options, maxOutstanding });
  let client = await connect(depth);
  let giveUp: ((reason: unknown) => void) | undefined;
  const stop = () => {
    void client[Symbol.asyncDispose]();
    giveUp?.(signal?.reason);
  };
  signal?.addEventListener("abort", stop, { once: true });
  let next: Promise<IteratorResult<FrameInit>> | undefined = read(source);
  let index = 0;
  try {
    while (true) {
      signal?.throwIfAborted();
      const head = window.peek();
      // The next request, if there is room for it and it is there before the first answer.
      if (next && window.length < depth) {
        const reading: Promise<IteratorResult<FrameInit>> = next;
        const got: IteratorResult<FrameInit> | Outcome = head
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
      if ("reply" in outcome) {
        window.shift();
        yield { index: head.index, ...outcome };
        continue;
      }
      signal?.throwIfAborted();
      // A reset that requests behind the first one caused may have cost the answer to it.
      const answered = client.answered - greetings;
      const isHopeless = answered === 0 && depth === 1;
      if (isHopeless || !isClosing(outcome.error)) throw outcome.error;
      depth = Math.max(1, Math.min(depth, answered));
      client = await connect(depth);
      resend(client, [...window], depth, answerTimeoutMs);
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

function send(client: RequestClient, request: FrameInit, timeoutMs: number): Promise<Outcome> {
  const sentAt = performance.now();
  return client.request(request, { timeoutMs, raw: true }).then(
    (reply) => ({ reply, latencyMs: performance.now() - sentAt }),
    (error) => ({ error }),
  );
}

/** Sends again what was not answered: `depth` at once, the others when an answer makes room. */
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
