import { Deque } from "../../../base/deque.ts";
import type { StreamMessage } from "./stream_message.ts";

/** What keeping a message costs beside its bytes. */
const ITEM_BYTES = 256;

/** The messages that were read of a stream and that the program has not taken. */
export class ReadingQueue<Message extends StreamMessage> {
  /** About what they take in memory. */
  bytes = 0;
  readonly #messages = new Deque<Message>();
  readonly #waiting = new Deque<PromiseWithResolvers<IteratorResult<Message, undefined>>>();
  #isEnded = false;
  #error: unknown;

  /** Adds a message. */
  push(message: Message): void {
    if (this.#isEnded) return;
    const waiting = this.#waiting.shift();
    if (waiting) return waiting.resolve({ done: false, value: message });
    this.bytes += ITEM_BYTES + message.frameBytes;
    this.#messages.push(message);
  }

  /** The next one, once there is one. @throws what it ended with, behind the last. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.#messages.shift();
    if (message) {
      this.bytes -= ITEM_BYTES + message.frameBytes;
      return Promise.resolve({ done: false, value: message });
    }
    if (this.#isEnded) {
      const error = this.#error;
      this.#error = undefined;
      return error === undefined
        ? Promise.resolve({ done: true, value: undefined })
        : Promise.reject(error);
    }
    const waiting = Promise.withResolvers<IteratorResult<Message, undefined>>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Drops all that waits. */
  clear(): void {
    this.#messages.clear();
    this.bytes = 0;
  }

  /** No further message comes. The first reason counts. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const first = this.#waiting.shift();
    if (first && error !== undefined) first.reject(error);
    else {
      this.#error = error;
      first?.resolve({ done: true, value: undefined });
    }
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      next.resolve({ done: true, value: undefined });
    }
  }
}
