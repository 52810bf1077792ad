import type { FrameInit, StreamedFrame } from "../../frame/mod.ts";
import { RequestError } from "../request_error.ts";
import type { Reply } from "./reply.ts";

/** One request, from the call that makes it until its promise is settled. */
export class Call {
  /** What is to be sent; `undefined` once it was taken. */
  frame: FrameInit | StreamedFrame | undefined;
  /** Its place among those that wait for room. */
  place = -1;
  readonly #raw: boolean;
  readonly #resolve: (reply: Reply) => void;
  readonly #reject: (error: unknown) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  /** @param raw Whether the promise resolves to an answer that tells of a failure, too. */
  constructor(
    frame: FrameInit | StreamedFrame,
    raw: boolean,
    resolve: (reply: Reply) => void,
    reject: (error: unknown) => void,
  ) {
    this.frame = frame;
    this.#raw = raw;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Calls back when the time is up, unless the promise is settled before. */
  limit(ms: number, onTimeout: () => void): void {
    this.#timer = setTimeout(onTimeout, ms);
  }

  /** Calls back when the signal is aborted, unless the promise is settled before. */
  obey(signal: AbortSignal, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    signal.addEventListener("abort", onAbort, { once: true });
  }

  /** The answer is there. */
  answer(reply: Reply): void {
    this.#settle();
    const error = this.#raw ? undefined : reply.error;
    if (error) this.#reject(new RequestError(error.code, error.message, { reply }));
    else this.#resolve(reply);
  }

  /** There will be no answer. */
  fail(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.frame = undefined;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#onAbort) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
