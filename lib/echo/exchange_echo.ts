import { Condition } from "../base/condition.ts";
import { checkGiven, checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { msOption, numericOption } from "../base/numeric_options.ts";
import type { Address, DialOptions } from "../net/mod.ts";
import { toAddress } from "../net/address.ts";
import { ConnectionError } from "../net/connection_error.ts";
import { dial } from "../net/dial.ts";
import { LimitLook, tickMs } from "../base/periodic_look.ts";
import { describeDifference } from "../base/first_difference.ts";
import { SPEAKS_TLS, startsTlsRecord } from "../base/tls_record.ts";
import { EchoError } from "./echo_error.ts";
import { ExpectedBytes } from "./expected_bytes.ts";

/** Options of {@linkcode exchangeEcho}. */
export interface EchoExchangeOptions extends DialOptions {
  /**
   * The longest time without a byte sent or received while some have not come back; `0` sets no
   * limit.
   *
   * @default {30_000}
   */
  readonly idleTimeoutMs?: number | undefined;
  /** Is called when the connection is made. */
  readonly connected?: (() => void) | undefined;
  /** Is called with bytes that are about to be sent: a view, valid until it returns. */
  readonly sent?: ((bytes: Uint8Array) => void) | undefined;
  /**
   * Is called with the bytes that came, right or wrong: a view, valid until the function returns or
   * its promise resolves. Nothing more is read until then, so a slow function slows the server down.
   */
  readonly received?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
}

/** What {@linkcode exchangeEcho} measured. */
export interface EchoResult {
  /** How many bytes were sent and came back. */
  readonly bytes: number;
  /** The time from the connection to the last byte, in milliseconds. */
  readonly durationMs: number;
}

const IDLE = msOption(30_000);

const KINDS: OptionKinds<EchoExchangeOptions> = {
  connected: "function",
  sent: "function",
  received: "function",
  signal: "signal",
};

/**
 * The most bytes that may be away: sent, and not back. They are kept for the comparison, so a server
 * that sends nothing back must not make us keep all of a large source. No echo server that works
 * holds as many.
 */
const MAX_AWAY_BYTES = 16_777_216;

const READ_BYTES = 65_536;

/**
 * Sends a stream to an echo server, and compares what comes back byte for byte. It ends when all
 * bytes have come back. If the exchange fails, the stream is cancelled. The chunks of the stream are
 * kept without a copy: they must not change.
 *
 * @example
 * ```ts
 * import { exchangeEcho, serveEcho } from "@socktool/socktool/echo";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const { bytes } = await exchangeEcho(server.address, new Blob(["hello"]).stream());
 * assertEquals(bytes, 5);
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {EchoError} if the server sends other bytes, too few or too many, or nothing for too long.
 * @throws {TypeError | RangeError} if an option is not what it has to be, or the source no stream.
 * @throws {ConnectionError} if the connection cannot be made, or breaks.
 */
export async function exchangeEcho(
  target: Address | string,
  source: ReadableStream<Uint8Array>,
  options: EchoExchangeOptions = {},
): Promise<EchoResult> {
  checkOptions(options, KINDS);
  checkGiven("source", source, "stream");
  const reader = source.getReader();
  try {
    const address = toAddress(target);
    const idleTimeoutMs = numericOption("idleTimeoutMs", options.idleTimeoutMs, IDLE);
    using conn = await dial(address, options);
    options.connected?.();
    const startedAt = performance.now();
    const bytes = await new EchoExchange(conn, address, reader, options, idleTimeoutMs).run();
    return { bytes, durationMs: performance.now() - startedAt };
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** One exchange. It sends and receives at the same time; the first of both to fail ends it. */
class EchoExchange {
  readonly #conn: Deno.Conn;
  readonly #address: Address;
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  readonly #options: EchoExchangeOptions;
  readonly #idleTimeoutMs: number;
  readonly #expected = new ExpectedBytes();
  readonly #ended = Promise.withResolvers<void>();
  #sentBytes = 0;
  #receivedBytes = 0;
  #moved = 0;
  #sentAll = false;
  readonly #room = new Condition();

  constructor(
    conn: Deno.Conn,
    address: Address,
    source: ReadableStreamDefaultReader<Uint8Array>,
    options: EchoExchangeOptions,
    idleTimeoutMs: number,
  ) {
    this.#conn = conn;
    this.#address = address;
    this.#source = source;
    this.#options = options;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  /** @returns How many bytes were sent and came back. */
  async run(): Promise<number> {
    const { signal } = this.#options;
    const stop = () => this.#ended.reject(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    using watch = this.#watch(this.#idleTimeoutMs);
    watch.start();
    // Both end when the connection is closed. Only the first failure counts.
    this.#send().catch(this.#ended.reject);
    this.#receive().catch(this.#ended.reject);
    try {
      await this.#ended.promise;
      return this.#receivedBytes;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  async #send(): Promise<void> {
    while (true) {
      const { done, value } = await this.#source.read();
      if (done) break;
      this.#expected.push(value);
      this.#sentBytes += value.length;
      this.#options.sent?.(value);
      for (let at = 0; at < value.length;) {
        const count = await this.#write(value.subarray(at));
        at += count;
        this.#moved += count;
      }
      if (this.#expected.length > MAX_AWAY_BYTES) await this.#room.wait();
    }
    this.#sentAll = true;
    if (this.#expected.length === 0) this.#ended.resolve();
  }

  async #write(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#conn.write(bytes);
    } catch (cause) {
      throw new ConnectionError("write", this.#address, cause);
    }
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    while (true) {
      const count = await this.#read(buffer);
      if (count === null) throw this.#closed();
      this.#moved += count;
      const bytes = buffer.subarray(0, count);
      if (this.#receivedBytes === 0 && this.#isTls(bytes)) {
        throw new ConnectionError("read", this.#address, new Error(SPEAKS_TLS), "tls");
      }
      // Bytes beyond those that were sent are an error, and not shown.
      await this.#options.received?.(bytes.subarray(0, this.#expected.length));
      const expected = this.#expected.take(bytes);
      this.#receivedBytes += expected;
      if (expected < count) throw this.#differs(bytes[expected]!);
      if (this.#expected.length <= MAX_AWAY_BYTES / 2) this.#room.notify();
      if (this.#sentAll && this.#expected.length === 0) return this.#ended.resolve();
    }
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    try {
      return await this.#conn.read(buffer);
    } catch (cause) {
      throw new ConnectionError("read", this.#address, cause);
    }
  }

  /** Whether the server answers in TLS, which this side did not ask for and did not send. */
  #isTls(bytes: Uint8Array): boolean {
    return !this.#options.tls && startsTlsRecord(bytes) && this.#expected.next !== bytes[0];
  }

  /** Ends the exchange when no byte has moved for too long while some were due. */
  #watch(idleTimeoutMs: number): LimitLook {
    let movedAt = performance.now();
    let seen = 0;
    return new LimitLook(tickMs(idleTimeoutMs), (now) => {
      if (this.#moved !== seen || this.#expected.length === 0) {
        seen = this.#moved;
        movedAt = now;
      } else if (now - movedAt >= idleTimeoutMs) this.#ended.reject(this.#silent(idleTimeoutMs));
    });
  }

  #differs(actual: number): EchoError {
    const { next } = this.#expected;
    const offset = this.#receivedBytes;
    if (next === undefined) {
      return this.#error("surplus", `The server sent more than the ${offset} bytes it was sent`);
    }
    return this.#error("wrong-byte", `The echo ${describeDifference(offset, actual, next)}`);
  }

  #closed(): EchoError {
    const progress = this.#sentBytes === 0
      ? " before anything was sent"
      : `: ${this.#receivedBytes} of ${this.#sentBytes} bytes came back`;
    return this.#error("closed", `The server closed the connection${progress}`);
  }

  #silent(timeoutMs: number): EchoError {
    const progress = `${this.#receivedBytes} of ${this.#sentBytes} bytes came back`;
    return this.#error("timed-out", `No byte moved for ${timeoutMs} ms: ${progress}`);
  }

  #error(code: EchoError["code"], message: string): EchoError {
    return new EchoError(code, message, this.#receivedBytes, this.#sentBytes);
  }
}
