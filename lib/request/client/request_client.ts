import { checkOptions, type OptionKinds } from "../../base/option_kinds.ts";
import { closeQuietly } from "../../base/close_quietly.ts";
import { bytesOption, countOption, numericOptions } from "../../base/numeric_options.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { DEFAULT_MAX_CONTENT_BYTES } from "../../frame/frame_decoder.ts";
import { FrameError } from "../../frame/frame_error.ts";
import type { FrameInit } from "../../frame/frame_init.ts";
import type { StreamedFrame } from "../../frame/streamed_frame.ts";
import type { Address } from "../../net/address.ts";
import { type ByteDuplex, checkDuplex } from "../../net/bytes/byte_duplex.ts";
import { discardStream, streamTimeout } from "../../net/bytes/outgoing_stream.ts";
import { WriteQueue } from "../../net/bytes/write_queue.ts";
import { ConnectionError } from "../../net/connection_error.ts";
import { Call } from "./call.ts";
import type { Reply } from "./reply.ts";
import { ReplyReader } from "./reply_reader.ts";
import { RequestSender } from "./request_sender.ts";

/** The limits of a {@linkcode RequestClient}. */
export interface RequestClientOptions {
  /** Answers with more content break the connection. @default {16_777_216} */
  readonly maxContentBytes?: number | undefined;
  /** Requests that are sent and not answered; further calls wait for room. @default {1_024} */
  readonly maxOutstanding?: number | undefined;
  /**
   * Bytes of requests that the connection has not taken; while there are more, further calls wait
   * for room. A request that is larger goes alone.
   *
   * @default {1_048_576}
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * The longest time that a stream which is the content of a request may give nothing when asked
   * for bytes; `0` sets no limit.
   *
   * @default {60_000}
   */
  readonly streamTimeoutMs?: number | undefined;
  /** Where the duplex leads to, for errors. */
  readonly remote?: Address | undefined;
}

/** How one request is made. */
export interface RequestOptions {
  /**
   * The longest time until the answer is there, waiting for room included. Without it, as long as
   * the connection lives.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Gives up: the promise is rejected with the signal's reason. A request that waits for room is not
   * sent then; of one that is sent the answer is dropped when it comes; one whose content is being
   * streamed ends the connection.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether to resolve to an answer that tells of a failure, instead of rejecting with a
   * `RequestError`.
   *
   * @default {false}
   */
  readonly raw?: boolean | undefined;
}

const LIMITS = {
  maxContentBytes: bytesOption(DEFAULT_MAX_CONTENT_BYTES),
  maxOutstanding: countOption(1_024, 1),
  maxPendingBytes: bytesOption(1_048_576),
};

/**
 * Checks the limits of a client, and fills in the defaults.
 *
 * @throws {TypeError | RangeError} if one is no number of what it counts, or these are no options.
 */
export function resolveClientLimits(options: RequestClientOptions) {
  checkOptions(options, { remote: "object" });
  return {
    ...numericOptions(LIMITS, options),
    streamTimeoutMs: streamTimeout(options.streamTimeoutMs),
  };
}

const KINDS: OptionKinds<RequestOptions> = { signal: "signal", raw: "flag" };

const NO_OPTIONS: RequestOptions = {};

/** How long answers may still come once nothing can be sent any more. */
const LINGER_MS = 1_000;

/**
 * The client's end of `serveRequests`: requests go out at once, packed where several are made in one
 * turn, and their answers come back in order.
 *
 * Any number of requests may be made at one time. Those for which there is no room wait: what waits
 * is the frame that was given, so its bytes must stay as they are until it is answered.
 * {@linkcode RequestClient.ready} tells when there is room.
 *
 * It needs a pair of functions that read and write bytes, and nothing of one runtime.
 *
 * @example
 * ```ts
 * import { connectRequests, RequestError, serveRequests } from "@socktool/socktool";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using server = await serveRequests("127.0.0.1:0", (request) => {
 *   const { name } = request.json<{ name: string }>();
 *   if (name === "") throw new RequestError("no-name", "The name is empty");
 *   return `Hello ${name}`;
 * });
 * await using client = await connectRequests(server.address);
 * const ask = (name: string) => client.request(JSON.stringify({ name }));
 * assertEquals((await ask("Ada")).text(), "Hello Ada");
 * const error = await assertRejects(() => ask(""), RequestError);
 * assertEquals(error.code, "no-name");
 * ```
 */
export class RequestClient implements AsyncDisposable {
  readonly #duplex: ByteDuplex;
  readonly #remote: Address | undefined;
  readonly #output: WriteQueue;
  readonly #sender: RequestSender;
  readonly #closed: Promise<void>;
  #answered = 0;
  /** Why no further request is sent. */
  #refusal: Error | undefined;
  /** Why the connection has ended. */
  #failure: unknown;
  #ended = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  /**
   * Takes over a connection, which it closes; `connectRequests` makes one.
   *
   * @throws {TypeError | RangeError} if a limit is no number of what it counts, or the connection none.
   */
  constructor(duplex: ByteDuplex, options: RequestClientOptions = {}) {
    const limits = resolveClientLimits(options);
    checkDuplex(duplex);
    this.#duplex = duplex;
    this.#remote = options.remote;
    this.#output = new WriteQueue(
      duplex,
      limits.maxPendingBytes,
      (cause) => new ConnectionError("write", this.#remote, cause),
    );
    this.#sender = new RequestSender(
      this.#output,
      limits,
      (error) => this.#broken(error),
    );
    this.#output.onWritten = () =>
      this.#output.failed ? this.#cannotWrite() : this.#sender.advance();
    this.#closed = this.#receive(limits.maxContentBytes);
  }

  /** The server, where its address is known. */
  get remote(): Address | undefined {
    return this.#remote;
  }

  /** How many requests are sent and not answered. */
  get outstanding(): number {
    return this.#sender.outstanding;
  }

  /** How many calls wait for room. */
  get waiting(): number {
    return this.#sender.waiting;
  }

  /** How many answers have come. */
  get answered(): number {
    return this.#answered;
  }

  /** Resolves when the connection has ended, for whatever reason. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Resolves when there is room: a request that is made then is sent at once.
   *
   * @throws {ConnectionError} if the connection ends before.
   */
  ready(): Promise<void> {
    return this.#sender.ready();
  }

  /**
   * Sends a request: text or bytes, which are its content; a frame; or a frame whose content is a
   * stream, which is taken over. Other requests wait until the stream is sent. A request that waits
   * for room is not copied: do not change its bytes or its header before the promise is settled.
   * Where {@linkcode RequestClient.ready} was awaited before, it is encoded at once.
   *
   * @returns The answer, which owns its bytes. Answers come in the order of the requests.
   * @throws {RequestError} if the answer tells of a failure; with `raw` it is returned.
   * @throws {ConnectionError} if the connection ends before the answer, code `closed` where the
   * server closed it. `timed-out` if the answer does not come in time: if the request was sent, that
   * ends the connection, because the answers behind it are late as well.
   * @throws {FrameError} if the server sends what is no frame.
   * @throws {ContentStreamError} if the stream gives less or more than the header's
   * `content-length`, fails, or hangs. If a part of it was sent, the connection ends once the
   * requests before are answered.
   * @throws {RangeError | TypeError} if the frame cannot be encoded, or an option is not what it has to
   * be; nothing is sent then.
   */
  request(
    frame: FrameInit | StreamedFrame,
    options: RequestOptions = NO_OPTIONS,
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const call = new Call(frame, options?.raw === true, resolve, reject);
      try {
        if (this.#refusal) throw this.#ended ? this.#failure : this.#refusal;
        if (options !== NO_OPTIONS) checkOptions(options, KINDS);
        const { timeoutMs, signal } = options;
        signal?.throwIfAborted();
        if (timeoutMs !== undefined) {
          call.limit(timerMs("timeoutMs", timeoutMs), () => this.#timedOut(call));
        }
        if (signal) call.obey(signal, () => this.#aborted(call, signal.reason));
        this.#sender.add(call);
      } catch (error) {
        discardStream(frame, error);
        call.fail(error);
      }
    });
  }

  /**
   * Waits for the answers that are outstanding, and closes; calls that wait for room fail. Never
   * rejects. The sending half stays open until then: many a server takes its end for the end of the
   * client.
   */
  async close(): Promise<void> {
    this.#refuse(this.#error("read", "closed", "the client closes it"));
    await this.#closed;
  }

  /** Closes at once; answers that are outstanding are lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#end(this.#error("read", "closed", "the client closed it"));
    await this.#closed;
  }

  async #receive(maxContentBytes: number): Promise<void> {
    const reader = new ReplyReader(this.#duplex, maxContentBytes, (reply) => this.#take(reply));
    try {
      await reader.run();
      this.#end(this.#error("read", "closed", "the server closed it"));
    } catch (error) {
      const isKnown = error instanceof FrameError || error instanceof ConnectionError;
      this.#end(isKnown ? error : new ConnectionError("read", this.#remote, error));
    }
  }

  #take(reply: Reply): void {
    const call = this.#sender.nextAnswered();
    if (!call) {
      throw this.#error("read", "failed", "the server sent an answer that was not asked for");
    }
    this.#answered++;
    call.answer(reply);
    if (this.#refusal && this.#sender.isDone) this.#end(this.#refusal);
  }

  #timedOut(call: Call): void {
    const unsent = this.#error("write", "timed-out", "there was no room for the request in time");
    if (this.#sender.giveUp(call, unsent) === "unsent") return call.fail(unsent);
    this.#end(this.#error("read", "timed-out", "no answer came"));
  }

  #aborted(call: Call, reason: unknown): void {
    this.#sender.giveUp(call, reason);
    call.fail(reason);
  }

  /** A content was sent in part: no request can follow it, but answers to those before may come. */
  #broken(error: unknown): void {
    const why = new Error("the content of a request could not be sent whole", { cause: error });
    this.#refuse(new ConnectionError("write", this.#remote, why, "closed"));
  }

  /** The server may have answered before it stopped reading. */
  #cannotWrite(): void {
    if (this.#ended || this.#lingering !== undefined) return;
    this.#lingering = setTimeout(() => this.#end(this.#refusal), LINGER_MS);
    this.#output.flushed().catch((error) => this.#refuse(error));
  }

  /** Sends nothing more, and ends once all is answered that was sent. */
  #refuse(error: Error): void {
    this.#refusal ??= error;
    this.#sender.stop(this.#refusal);
    if (this.#sender.isDone) this.#end(this.#refusal);
  }

  #end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = error;
    clearTimeout(this.#lingering);
    closeQuietly(this.#duplex);
    this.#refusal ??= this.#error("read", "closed", "it has ended");
    this.#sender.end(error);
  }

  #error(
    operation: "read" | "write",
    code: "closed" | "timed-out" | "failed",
    why: string,
  ): ConnectionError {
    return new ConnectionError(operation, this.#remote, new Error(why), code);
  }
}
