import { type ByteBuffer, type OutgoingFrame, writeFrame } from "../frame/mod.ts";
import { failureReply } from "./error_reply.ts";

/** An answer: a frame to be encoded, or one that is encoded already. */
export type Reply = OutgoingFrame | Uint8Array;

/** What an answer under way is taken for until answers have shown how large they are. */
const FIRST_GUESS_BYTES = 65_536;

/** A place in the order of answers. */
interface Slot {
  arrived: boolean;
  reply: Reply | undefined;
  /** What it keeps in memory: its request or, by a guess, its answer; then its answer. */
  bytes: number;
}

/** What a {@linkcode ReplyQueue} needs of its connection. */
export interface ReplySink {
  /** The buffer that takes the next answer. */
  readonly buffer: ByteBuffer;
  /** Sends what is in the buffer. */
  flush(): void;
}

/**
 * Answers in the order of the requests, whenever they come. An answer that is there at once, with
 * none before it outstanding, is encoded without a detour.
 */
export class ReplyQueue {
  readonly #sink: ReplySink;
  readonly #onFailure: (error: unknown) => void;
  #slots: Slot[] = [];
  #head = 0;
  #heldBytes = 0;
  /** As large as the largest of the last answers, about. */
  #guessBytes = FIRST_GUESS_BYTES;
  #abandoned = false;
  #change: PromiseWithResolvers<void> | undefined;

  /** @param onFailure Is told of each answer that could not be had or encoded. */
  constructor(sink: ReplySink, onFailure: (error: unknown) => void) {
    this.#sink = sink;
    this.#onFailure = onFailure;
  }

  /** How many answers are outstanding. */
  get outstanding(): number {
    return this.#slots.length - this.#head;
  }

  /** Adds the answer to the next request. The caller flushes the sink. */
  add(reply: Reply): void {
    if (this.outstanding === 0) this.#write(reply);
    else {
      const bytes = sizeOf(reply);
      this.#heldBytes += bytes;
      this.#slots.push({ arrived: true, reply, bytes });
    }
  }

  /**
   * Adds an answer that is to come. It is sent, and flushed, when its turn is there.
   *
   * @param requestBytes What the request takes until then.
   */
  addLater(promise: PromiseLike<Reply>, requestBytes: number): void {
    const bytes = Math.max(requestBytes, this.#guessBytes);
    const slot: Slot = { arrived: false, reply: undefined, bytes };
    this.#heldBytes += bytes;
    this.#slots.push(slot);
    promise.then(
      (reply) => this.#arrived(slot, reply),
      (error) => {
        this.#onFailure(error);
        this.#arrived(slot, failureReply(error));
      },
    );
  }

  /**
   * Waits until fewer than `count` answers are outstanding, and these and their requests take no
   * more than about `maxBytes`; `undefined` if it is so.
   */
  below(count: number, maxBytes = Infinity): Promise<void> | undefined {
    const isBelow = this.outstanding < count && this.#heldBytes <= maxBytes;
    return isBelow ? undefined : this.#wait(count, maxBytes);
  }

  /** Lets those go who wait: the answers are of no use any more. */
  abandon(): void {
    this.#abandoned = true;
    this.#change?.resolve();
  }

  async #wait(count: number, maxBytes: number): Promise<void> {
    while (!this.#abandoned && (this.outstanding >= count || this.#heldBytes > maxBytes)) {
      this.#change ??= Promise.withResolvers();
      await this.#change.promise;
    }
  }

  #arrived(slot: Slot, reply: Reply): void {
    slot.arrived = true;
    slot.reply = reply;
    const bytes = sizeOf(reply);
    this.#heldBytes += bytes - slot.bytes;
    slot.bytes = bytes;
    this.#guessBytes = Math.max(bytes, this.#guessBytes * 7 / 8);
    if (this.#slots[this.#head] !== slot) return;
    for (let next = this.#slots[this.#head]; next?.arrived; next = this.#slots[++this.#head]) {
      this.#heldBytes -= next.bytes;
      this.#write(next.reply as Reply);
    }
    if (this.#head === this.#slots.length) {
      this.#slots = [];
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
    this.#sink.flush();
    this.#change?.resolve();
    this.#change = undefined;
  }

  #write(reply: Reply): void {
    if (reply instanceof Uint8Array) return this.#sink.buffer.append(reply);
    try {
      if (typeof reply !== "object") throw new TypeError(`Cannot answer with ${typeof reply}`);
      writeFrame(this.#sink.buffer, reply);
    } catch (error) {
      this.#onFailure(error);
      writeFrame(this.#sink.buffer, failureReply(error));
    }
  }
}

/** About what an answer takes in memory; whatever a handler may have returned. */
function sizeOf(reply: Reply | null | undefined): number {
  return (reply instanceof Uint8Array ? reply : reply?.content)?.length ?? 0;
}
