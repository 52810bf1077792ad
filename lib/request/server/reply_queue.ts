import { Condition } from "../../base/condition.ts";
import { promiseOf } from "../../base/thenable.ts";
import { Deque } from "../../base/deque.ts";
import { ByteBuffer } from "../../base/byte_buffer.ts";
import { EncodedFrame } from "../../frame/encoded_frame.ts";
import { appendFrame, type FrameInit } from "../../frame/frame_init.ts";
import { isStreamedFrame, type StreamedFrame } from "../../frame/streamed_frame.ts";
import { giveBuffer, takeBuffer } from "../../net/bytes/buffer_pool.ts";
import { discardStream, OutgoingStream } from "../../net/bytes/outgoing_stream.ts";
import type { SharedMemory } from "../../net/bytes/shared_memory.ts";
import type { WriteQueue } from "../../net/bytes/write_queue.ts";
import { failureReply } from "./error_reply.ts";
import type { LentMemory } from "./lent_memory.ts";

/**
 * What a handler answers with: text or bytes, which are the content of the answer; a frame, to give
 * header fields too; an encoded frame; or a frame whose content is a stream.
 */
export type ReplyInit = FrameInit | StreamedFrame;

/** What an answer under way is taken for until answers have shown how large they are. */
const FIRST_GUESS_BYTES = 65_536;

/** What a stream takes in memory while it waits for its turn, or is sent. */
const STREAM_BYTES = 131_072;

/** What a slot takes is counted from this size on. */
const COUNTED_BYTES = 1_024;

/** What a {@linkcode ReplyQueue} knows of its connection, and tells it. */
export interface ReplySink {
  /** Where the answers go. */
  readonly output: WriteQueue;
  /** What handlers have of the memory that requests were read into. */
  readonly lent: LentMemory;
  /** The longest time that a stream may give nothing when asked for bytes; `0` sets no limit. */
  readonly streamTimeoutMs: number;
  /** Requests and answers that wait take this many bytes more; negative for fewer. */
  held(bytes: number): void;
  /** An answer could not be had, or not be sent. */
  failed(error: unknown): void;
  /** A part of an answer was sent, and the rest will not come: the connection has to end. */
  broken(): void;
  /** There is a stream: {@linkcode ReplyQueue.abandon} has to be called if the connection ends. */
  streams(): void;
}

/** A place in the order of answers. */
interface Slot {
  /** The answer: encoded, in a buffer of the pool or elsewhere, or a stream; `undefined` at first. */
  answer: ByteBuffer | Uint8Array | OutgoingStream | undefined;
  /** About what the request or its answer takes in memory; a guess until the answer is there. */
  bytes: number;
  /** What it is known to take, as {@linkcode ReplySink.held} was told. */
  heldBytes: number;
  /** The memory that the request lies in, until the answer refers to it no more. */
  memory: SharedMemory | undefined;
}

/**
 * Sends answers in the order of the requests, whenever they come. One that is there at once, with
 * none before it outstanding, is encoded straight into the output. One that has to wait for its
 * turn is encoded when it comes: its handler may use the memory for something else.
 */
export class ReplyQueue {
  readonly #sink: ReplySink;
  readonly #slots = new Deque<Slot>();
  #heldBytes = 0;
  /** About as large as the largest of the last answers. */
  #guessBytes = FIRST_GUESS_BYTES;
  #abandoned: { readonly reason: unknown } | undefined;
  readonly #change = new Condition();

  /** Makes an empty queue. */
  constructor(sink: ReplySink) {
    this.#sink = sink;
  }

  /** How many answers are outstanding. */
  get outstanding(): number {
    return this.#slots.length;
  }

  /** Whether nothing is sent any more. */
  get abandoned(): boolean {
    return this.#abandoned !== undefined;
  }

  /** Adds the answer to the next request, if it is no stream. The caller flushes the output. */
  add(reply: FrameInit): void {
    if (this.#slots.length === 0) {
      this.#write(reply);
      return;
    }
    const answer = this.#encode(reply);
    this.#push({ answer, bytes: answer.length, heldBytes: 0, memory: undefined }, answer.length);
  }

  /**
   * Adds an answer that is a stream, or is to come. It is sent, and flushed, when its turn is there.
   *
   * @param requestBytes What the request takes until then.
   * @param memory Lent to the handler; given back when the answer needs it no more.
   */
  addLater(
    reply: StreamedFrame | PromiseLike<ReplyInit>,
    requestBytes: number,
    memory: SharedMemory | undefined,
  ): void {
    const bytes = Math.max(requestBytes, this.#guessBytes);
    const slot: Slot = { answer: undefined, bytes, heldBytes: 0, memory };
    this.#push(slot, requestBytes);
    if (isStreamedFrame(reply)) return this.#arrived(slot, reply);
    promiseOf(reply).then((reply) => this.#arrived(slot, reply), (error) => {
      this.#sink.failed(error);
      this.#arrived(slot, failureReply(error));
    });
  }

  /**
   * Waits until fewer than `count` answers are outstanding, and these and their requests take no
   * more than about `maxBytes`; `undefined` if it is so.
   */
  below(count: number, maxBytes = Infinity): Promise<void> | undefined {
    const isBelow = this.outstanding < count && this.#heldBytes <= maxBytes;
    return isBelow ? undefined : this.#wait(count, maxBytes);
  }

  /** Sends nothing more, cancels streams, and lets those go who wait: nobody reads the answers. */
  abandon(reason: unknown): void {
    if (this.#abandoned) return;
    this.#abandoned = { reason };
    for (const slot of this.#slots) {
      if (!(slot.answer instanceof OutgoingStream)) continue;
      slot.answer.cancel(reason);
      this.#release(slot);
    }
    this.#change.notify();
  }

  async #wait(count: number, maxBytes: number): Promise<void> {
    while (!this.#abandoned && (this.outstanding >= count || this.#heldBytes > maxBytes)) {
      await this.#change.wait();
    }
  }

  #push(slot: Slot, heldBytes: number): void {
    this.#heldBytes += slot.bytes;
    this.#slots.push(slot);
    this.#hold(slot, heldBytes);
  }

  /** Takes the first slot off. */
  #shift(): void {
    const slot = this.#slots.shift()!;
    this.#heldBytes -= slot.bytes;
    this.#hold(slot, 0);
  }

  #hold(slot: Slot, bytes: number): void {
    const held = bytes < COUNTED_BYTES ? 0 : bytes;
    if (held === slot.heldBytes) return;
    this.#sink.held(held - slot.heldBytes);
    slot.heldBytes = held;
  }

  /** The answer of a slot is there. */
  #arrived(slot: Slot, reply: ReplyInit): void {
    const isStream = isStreamedFrame(reply);
    if (isStream) this.#sink.streams();
    if (this.#abandoned) {
      discardStream(reply, this.#abandoned.reason);
      return this.#release(slot);
    }
    const isNext = this.#slots.peek() === slot;
    if (isStream) {
      slot.answer = this.#open(reply);
      this.#note(slot, STREAM_BYTES);
      if (!(slot.answer instanceof OutgoingStream)) this.#release(slot);
    } else if (isNext) {
      this.#shift();
      this.#guess(this.#write(reply));
      this.#release(slot);
    } else {
      slot.answer = this.#encode(reply);
      this.#note(slot, slot.answer.length);
      this.#release(slot);
    }
    if (isNext) this.#advance();
  }

  /** Sends what is there and has its turn. */
  #advance(): void {
    const { output } = this.#sink;
    for (let slot = this.#slots.peek(); slot?.answer !== undefined; slot = this.#slots.peek()) {
      if (slot.answer instanceof OutgoingStream) {
        this.#send(slot, slot.answer);
        break;
      }
      this.#shift();
      if (slot.answer instanceof ByteBuffer) {
        output.buffer.append(slot.answer.view());
        giveBuffer(slot.answer);
      } else output.buffer.append(slot.answer);
    }
    output.flush();
    this.#change.notify();
  }

  /** Sends the stream that is the first slot's answer; what follows waits until it has ended. */
  #send(slot: Slot, stream: OutgoingStream): void {
    stream.send(this.#sink.output).then(
      () => {
        this.#release(slot);
        if (this.#abandoned) return;
        this.#shift();
        this.#advance();
      },
      (error) => this.#notSent(slot, stream, error),
    );
  }

  #notSent(slot: Slot, stream: OutgoingStream, error: unknown): void {
    this.#release(slot);
    if (this.#abandoned) return;
    // The client is gone: its connection ends by that.
    if (this.#sink.output.failed) return this.abandon(error);
    this.#sink.failed(error);
    if (stream.begun) {
      this.abandon(error);
      return this.#sink.broken();
    }
    this.#shift();
    this.#write(failureReply(error));
    this.#advance();
  }

  /** Lets the memory of a slot's request be used again. */
  #release(slot: Slot): void {
    if (slot.memory) this.#sink.lent.giveBack(slot.memory);
    slot.memory = undefined;
  }

  /** Notes what a slot's answer takes. */
  #note(slot: Slot, bytes: number): void {
    this.#heldBytes += bytes - slot.bytes;
    slot.bytes = bytes;
    this.#hold(slot, bytes);
    this.#guess(bytes);
  }

  #guess(bytes: number): void {
    this.#guessBytes = Math.max(bytes, this.#guessBytes * 7 / 8);
  }

  /** Encodes an answer, or where that fails the one that says so. Returns its size. */
  #write(reply: FrameInit, buffer: ByteBuffer = this.#sink.output.buffer): number {
    const start = buffer.length;
    try {
      appendFrame(buffer, reply);
    } catch (error) {
      this.#sink.failed(error);
      appendFrame(buffer, failureReply(error));
    }
    return buffer.length - start;
  }

  /** Encodes an answer that has to wait. */
  #encode(reply: FrameInit): ByteBuffer | Uint8Array {
    if (reply instanceof EncodedFrame) return reply.bytes;
    const buffer = takeBuffer(false);
    this.#write(reply, buffer);
    return buffer;
  }

  /** The stream, or what is answered in its place if it cannot be read. */
  #open(reply: StreamedFrame): OutgoingStream | ByteBuffer | Uint8Array {
    try {
      return new OutgoingStream(reply, this.#sink.streamTimeoutMs);
    } catch (error) {
      this.#sink.failed(error);
      return this.#encode(failureReply(error));
    }
  }
}
