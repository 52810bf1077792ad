import { STATUS_CODES } from "node:http";
import { networkOf } from "../net/address.ts";
import { addressOf } from "../net/address_of.ts";
import type { ConnStream } from "../net/conn_stream.ts";
import type { Address } from "../net/mod.ts";
import { WebError, type WebReply } from "./reply.ts";
import { SECURITY_HEADERS } from "./security_headers.ts";

/** Limits in time of a connection, in milliseconds. */
export interface HttpTimes {
  /** For the head of a request, from its first byte; from the beginning for the first one. */
  readonly headerTimeoutMs: number;
  /** For the content of a request. */
  readonly bodyTimeoutMs: number;
  /** For which a client may take nothing of a reply. */
  readonly writeTimeoutMs: number;
  /** For which a connection is kept on which nothing is asked. */
  readonly idleTimeoutMs: number;
}

/** Requests of one connection that may wait for the replies before theirs. Browsers send one. */
const MAX_WAITING = 16;

/** How long a connection whose last reply was sent may wait for the client to close. */
const LINGER_MS = 1_000;

/**
 * Who ends its half this soon after its request, as `nc -N` does, waits for the answer. Later, it has
 * left: so browsers cancel what they do not want any more.
 */
const HALF_CLOSE_MS = 100;

/**
 * What a connection does: it waits for the head of a request (`head`) or its content (`body`), works
 * on the reply or sends it (`reply`), is kept for the next request (`idle`), or ends (`ending`).
 */
export type Phase = "head" | "body" | "reply" | "idle" | "ending";

/** A connection of a web server: its requests one after the other, and its limits in time. */
export class HttpConnection {
  /** The client. */
  readonly remote: Address;
  /** Its network. */
  readonly network: string;
  readonly stream: ConnStream;
  readonly #times: HttpTimes;
  #phase: Phase = "head";
  /** Called when the client has left, as far as can be known; for the request at work. */
  onLeft: (() => void) | undefined;
  #since = performance.now();
  #askedAt = 0;
  /** Bytes moved at the last look. */
  #bytes = 0;
  #waiting = 0;
  #hasAnswered = false;
  #unreadable: WebError | undefined;
  #onBodyFailed: ((error: WebError) => void) | undefined;
  #last: Promise<void> = Promise.resolve();

  /** Takes over what is known of it. */
  constructor(stream: ConnStream, times: HttpTimes) {
    this.stream = stream;
    this.remote = addressOf(stream.conn.remoteAddr);
    this.network = networkOf(this.remote);
    this.#times = times;
    stream.once("end", () => {
      if (this.#phase === "body") this.inputFailed(endedEarly());
      else if (performance.now() - this.#askedAt > HALF_CLOSE_MS) this.onLeft?.();
    });
  }

  /** What it does. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Whether the client still owes the first request: it has not shown what it comes for. */
  get isUnproven(): boolean {
    return !this.#hasAnswered && (this.#phase === "head" || this.#phase === "body");
  }

  /** Notes that it is a WebSocket from now on. */
  upgraded(): void {
    this.#hasAnswered = true;
  }

  /** Whether requests of it are at work. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  /** Whether more requests than the one at work have come. */
  get isPipelined(): boolean {
    return this.#waiting > 1;
  }

  /**
   * Has a request answered after those before it. A client that sends too many at once is closed.
   *
   * @param onBroken Called when all are answered, if what came behind them cannot be read.
   */
  queue(answer: () => Promise<void>, onBroken: (error: WebError) => void): void {
    if (++this.#waiting > MAX_WAITING) return void this.stream.destroy();
    this.#enter("reply");
    this.#askedAt = performance.now();
    this.#last = this.#last.then(async () => {
      if (!this.stream.destroyed) await answer();
      this.onLeft = undefined;
      this.#hasAnswered = true;
      this.#waiting--;
      if (this.isBusy || this.#phase === "ending") return;
      this.#enter("idle");
      if (this.#unreadable) onBroken(this.#unreadable);
    });
  }

  /** Notes that the content of a request is waited for. `onFailed` is told why it will not come. */
  waitForBody(onFailed: (error: WebError) => void): void {
    this.#onBodyFailed = onFailed;
    this.#enter("body");
    if (this.#unreadable) onFailed(this.#unreadable);
    else if (this.stream.readableEnded) onFailed(endedEarly());
  }

  /** Notes that it is not waited for any more. */
  waitNoMore(): void {
    this.#onBodyFailed = undefined;
    this.#enter("reply");
  }

  /**
   * What comes cannot be read: the content that is waited for, or what is behind the requests at work.
   *
   * @returns Whether there are such: then the client is told by or after their answers.
   */
  inputFailed(error: WebError): boolean {
    if (!this.isBusy) return false;
    this.#unreadable = error;
    this.#onBodyFailed?.(error);
    return true;
  }

  /** Sends what is written, closes the sending half, and soon after that all. What comes is dropped. */
  end(last?: Uint8Array): void {
    this.#enter("ending");
    this.stream.end(last);
    this.stream.discardInput();
  }

  /** Ends with a reply to what is no request. Its body is a text. */
  endWith({ status, headers, body = "" }: WebReply): void {
    const content = new TextEncoder().encode(body as string);
    const lines = Object.entries({
      ...SECURITY_HEADERS,
      ...headers,
      "content-length": content.length,
      connection: [...new Set([headers?.["connection"] ?? "close", "close"])].join(", "),
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.stream.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n`);
    this.end(content);
  }

  /**
   * Closes it if a limit in time was passed.
   *
   * @returns Whether the client is to be told (408) because the head of its request did not come in
   * time.
   */
  look(now: number): boolean {
    const { headerTimeoutMs, bodyTimeoutMs, writeTimeoutMs, idleTimeoutMs } = this.#times;
    const { stream } = this;
    const bytes = stream.readBytes + stream.writtenBytes;
    const hasMoved = bytes !== this.#bytes;
    this.#bytes = bytes;
    const ms = now - this.#since;
    switch (this.#phase) {
      case "head":
        return ms > headerTimeoutMs;
      case "body":
        if (ms > bodyTimeoutMs) {
          this.inputFailed(new WebError(408, "timed-out", "The content did not come in time"));
        }
        return false;
      case "idle":
        // The first bytes of the next request.
        if (hasMoved) this.#enter("head");
        else if (ms > idleTimeoutMs) stream.destroy();
        return false;
      case "reply":
        // While the reply is made, nothing is owed by the client.
        if (hasMoved || stream.writableLength === 0) this.#since = now;
        else if (ms > writeTimeoutMs) stream.destroy();
        return false;
      case "ending":
        if (ms > (stream.writableLength === 0 ? LINGER_MS : writeTimeoutMs)) stream.destroy();
        return false;
    }
  }

  #enter(phase: Phase): void {
    if (this.#phase === "ending") return;
    this.#phase = phase;
    this.#since = performance.now();
    this.#bytes = this.stream.readBytes + this.stream.writtenBytes;
  }
}

/** Of a client that has closed its sending half before its request was whole. */
function endedEarly(): WebError {
  return new WebError(400, "bad-request", "The request ended before its content was whole");
}
