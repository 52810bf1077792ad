import { Condition } from "../../base/condition.ts";
import { Deque } from "../../base/deque.ts";
import { appendFrame } from "../../frame/frame_init.ts";
import { isStreamedFrame, type StreamedFrame } from "../../frame/streamed_frame.ts";
import { discardStream, OutgoingStream } from "../../net/bytes/outgoing_stream.ts";
import type { WriteQueue } from "../../net/bytes/write_queue.ts";
import type { Call } from "./call.ts";

/** Bounds of what a {@linkcode RequestSender} sends ahead. */
export interface SenderLimits {
  /** Requests that are sent and not answered. */
  readonly maxOutstanding: number;
  /** Bytes of requests that the socket has not taken. */
  readonly maxPendingBytes: number;
  /** The longest time that a stream may give nothing when asked for bytes; `0` sets no limit. */
  readonly streamTimeoutMs: number;
}

/** How far a call had come that is given up: not sent, in the middle of its stream, or sent. */
export type Progress = "unsent" | "begun" | "sent";

/**
 * Sends requests in the order of the calls. While too many are unanswered, too much is unsent, or a
 * content is being streamed, further calls wait: what waits is the caller's frame, not encoded.
 */
export class RequestSender {
  readonly #output: WriteQueue;
  readonly #limits: SenderLimits;
  readonly #onBroken: (error: unknown) => void;
  /** Those whose answers are to come, in the order of their answers. */
  readonly #sent = new Deque<Call>();
  /** By place; places are taken in order. A call that is given up leaves a gap. */
  readonly #waiting = new Map<number, Call>();
  #firstPlace = 0;
  #nextPlace = 0;
  #streaming: { readonly call: Call; readonly stream: OutgoingStream } | undefined;
  /** The call whose content could not be sent whole: behind it nothing can be sent. */
  #broken: Call | undefined;
  #flushing = false;
  #stopped: { readonly reason: unknown } | undefined;
  readonly #ready = new Condition();

  /** @param onBroken Told when a content could not be sent whole: nothing is sent any more. */
  constructor(output: WriteQueue, limits: SenderLimits, onBroken: (error: unknown) => void) {
    this.#output = output;
    this.#limits = limits;
    this.#onBroken = onBroken;
  }

  /** How many requests are sent and not answered. */
  get outstanding(): number {
    return this.#sent.length;
  }

  /** How many calls wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether every request that was sent whole is answered. */
  get isDone(): boolean {
    return this.#sent.length === 0 || this.#sent.peek() === this.#broken;
  }

  /**
   * Sends the request of a call as soon as there is room.
   *
   * @throws {RangeError | TypeError} if there is and the frame cannot be encoded.
   */
  add(call: Call): void {
    if (this.#waiting.size === 0 && this.#hasRoom()) return this.#send(call);
    call.place = this.#nextPlace++;
    this.#waiting.set(call.place, call);
  }

  /** The call whose answer comes next, which is taken off; `undefined` if there is none. */
  nextAnswered(): Call | undefined {
    const call = this.#sent.shift();
    if (this.#waiting.size > 0 || this.#ready.isAwaited) this.advance();
    return call;
  }

  /** Lets a call go that nobody waits for any more. One that is sent keeps its place for its answer. */
  giveUp(call: Call, reason: unknown): Progress {
    if (this.#waiting.delete(call.place)) {
      discardStream(call.frame, reason);
      this.advance();
      return "unsent";
    }
    if (this.#streaming?.call !== call) return "sent";
    const { stream } = this.#streaming;
    const { begun } = stream;
    stream.cancel(reason);
    return begun ? "begun" : "unsent";
  }

  /** Resolves when a request would be sent at once. */
  ready(): Promise<void> {
    if (this.#stopped) return Promise.reject(this.#stopped.reason);
    if (this.#waiting.size === 0 && this.#hasRoom()) return Promise.resolve();
    return this.#ready.wait();
  }

  /** Sends nothing more: those that wait fail. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = { reason };
    for (const call of this.#waiting.values()) {
      discardStream(call.frame, reason);
      call.fail(reason);
    }
    this.#waiting.clear();
    this.#ready.fail(reason);
  }

  /** Sends nothing more, and no answer comes: all fail. */
  end(reason: unknown): void {
    this.stop(reason);
    this.#streaming?.stream.cancel(reason);
    for (let call = this.#sent.shift(); call; call = this.#sent.shift()) call.fail(reason);
  }

  /** Sends what waits, as far as there is room. */
  advance(): void {
    while (this.#waiting.size > 0 && this.#hasRoom()) {
      const call = this.#firstWaiting();
      try {
        this.#send(call);
      } catch (error) {
        call.fail(error);
      }
    }
    if (this.#ready.isAwaited && this.#waiting.size === 0 && this.#hasRoom()) this.#ready.notify();
  }

  #hasRoom(): boolean {
    const { maxOutstanding, maxPendingBytes } = this.#limits;
    if (this.#stopped || this.#streaming || this.#sent.length >= maxOutstanding) return false;
    const { pendingBytes } = this.#output;
    // A request that is larger than the limit goes alone.
    return pendingBytes < maxPendingBytes || pendingBytes === 0;
  }

  /** Takes off the call that has waited longest. */
  #firstWaiting(): Call {
    while (true) {
      const call = this.#waiting.get(this.#firstPlace++);
      if (!call) continue;
      this.#waiting.delete(call.place);
      return call;
    }
  }

  #send(call: Call): void {
    const { frame } = call;
    call.frame = undefined;
    if (isStreamedFrame(frame)) return void this.#stream(call, frame);
    appendFrame(this.#output.buffer, frame!);
    this.#sent.push(call);
    this.#flushSoon();
  }

  /** Never rejects. */
  async #stream(call: Call, frame: StreamedFrame): Promise<void> {
    let stream: OutgoingStream;
    try {
      stream = new OutgoingStream(frame, this.#limits.streamTimeoutMs);
    } catch (error) {
      return call.fail(error);
    }
    this.#streaming = { call, stream };
    try {
      await stream.begin(this.#output);
      // Its answer may come before its content is sent whole.
      this.#sent.push(call);
      await stream.finish(this.#output);
    } catch (error) {
      call.fail(error);
      if (stream.begun) {
        this.#broken = call;
        return this.#onBroken(error);
      }
    }
    this.#streaming = undefined;
    this.advance();
  }

  // Requests that are made in one turn leave in one write.
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#output.flush();
    });
  }
}
