import { Deque } from "../../../base/deque.ts";
import type { StreamMessage } from "./stream_message.ts";

/** What keeping a message costs beside the memory in which its bytes lie. */
const ITEM_BYTES = 256;

/** Memory that came with one read, and how many of the waiting messages lie in it. */
interface SharedRead {
  readonly memory: Uint8Array;
  messages: number;
}

/** The messages that were read of a stream and that the program has not taken. */
export class ReadingQueue<Message extends StreamMessage> {
  /** Bytes of memory that they keep. Messages that came by one read share its memory. */
  bytes = 0;
  readonly #messages = new Deque<Message>();
  readonly #memories = new Deque<SharedRead>();
  #lastMemory: SharedRead | undefined;
  readonly #waiting = new Deque<PromiseWithResolvers<IteratorResult<Message, undefined>>>();
  #isEnded = false;
  #error: unknown;

  /** How many wait. */
  get length(): number {
    return this.#messages.length;
  }

  /** Adds a message, whose bytes lie in this memory. */
  push(message: Message, memory: Uint8Array): void {
    if (this.#isEnded) return;
    const waiting = this.#waiting.shift();
    if (waiting) return waiting.resolve({ done: false, value: message });
    this.bytes += ITEM_BYTES;
    this.#messages.push(message);
    if (this.#lastMemory?.memory === memory) {
      this.#lastMemory.messages++;
      return;
    }
    this.bytes += memory.length;
    this.#memories.push(this.#lastMemory = { memory, messages: 1 });
  }

  /** Takes off the message that has waited longest. */
  shift(): Message | undefined {
    const message = this.#messages.shift();
    if (message === undefined) return undefined;
    this.bytes -= ITEM_BYTES;
    const first = this.#memories.peek()!;
    if (--first.messages > 0) return message;
    this.bytes -= first.memory.length;
    this.#memories.shift();
    if (this.#memories.length === 0) this.#lastMemory = undefined;
    return message;
  }

  /** The next one, once there is one. @throws what it ended with, behind the last. */
  next(): Promise<IteratorResult<Message, undefined>> {
    const message = this.shift();
    if (message) return Promise.resolve({ done: false, value: message });
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
    this.#memories.clear();
    this.#lastMemory = undefined;
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
