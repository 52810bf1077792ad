import { Deque } from "../../base/deque.ts";
import { PeriodicLook } from "../../base/periodic_look.ts";
import { type Frame, FrameDecoder, type OutgoingFrame, writeFrame } from "../../frame/mod.ts";
import { ReadBuffer, WriteQueue } from "../../net/mod.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import { PubSubError } from "./pubsub_error.ts";

const HIGH_WATER_BYTES = 262_144;

/** Publications that leave together: those made in one turn. */
interface Batch {
  /** What the socket has taken when all of them are gone. */
  readonly target: number;
  readonly sent: PromiseWithResolvers<void>;
}

/** What a {@linkcode ClientLink} does with what comes. */
export interface LinkHandler {
  /** A frame came; its bytes are good until this returns. */
  received(frame: Frame): void;
  /** What to wait for before more is read. */
  room(): Promise<void> | undefined;
}

/** One connection of a client, from the first byte to the last. */
export class ClientLink {
  /** Resolves when it is over, to what ended it; `undefined` if the broker just closed it. */
  readonly ended: Promise<unknown>;
  /** When something last came, in milliseconds of `performance.now()`. */
  heardAt: number = performance.now();
  readonly #duplex: ByteDuplex;
  readonly #output: WriteQueue;
  readonly #handler: LinkHandler;
  readonly #decoder: FrameDecoder;
  readonly #batches = new Deque<Batch>();
  #open: PromiseWithResolvers<void> | undefined;
  #reason: unknown;
  #closed = false;
  #paused = false;
  #pinging: PeriodicLook | undefined;

  /** Takes over a duplex, and begins to read. */
  constructor(duplex: ByteDuplex, handler: LinkHandler, maxContentBytes: number) {
    this.#duplex = duplex;
    this.#handler = handler;
    this.#decoder = new FrameDecoder({ maxContentBytes });
    this.#output = new WriteQueue(duplex, HIGH_WATER_BYTES);
    this.#output.onWritten = () => this.#written();
    this.ended = this.#receive();
  }

  /** Bytes that the socket has not taken. */
  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  /** Sends a frame with whatever else is sent in this turn. */
  send(frame: OutgoingFrame): Promise<void> {
    const sent = this.#batch();
    writeFrame(this.#output.buffer, frame);
    return sent;
  }

  /** Sends frames that are encoded already. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    const sent = this.#batch();
    this.#output.buffer.append(bytes);
    return sent;
  }

  /** Resolves once everything is sent; rejects if the connection is lost before. */
  flushed(): Promise<void> {
    this.#flush();
    return this.#output.flushed();
  }

  /** Sends a ping at every interval, and closes it when nothing has come for three of them. */
  keepAlive(intervalMs: number): void {
    if (!(intervalMs > 0) || this.#closed) return;
    this.#pinging = new PeriodicLook(intervalMs, (now) => {
      const quietMs = now - this.heardAt;
      // Whoever reads nothing, because the program takes no messages, cannot tell.
      if (!this.#paused && quietMs > 3 * intervalMs) {
        this.close(new PubSubError("timed-out", "Nothing came from the broker for too long"));
      } else void this.send({ header: { op: "ping" } });
    });
    this.#pinging.start();
  }

  /** Closes it. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason ??= reason;
    this.#pinging?.stop();
    try {
      this.#duplex.close();
    } catch {
      // The runtime closed it when the broker reset it.
    }
  }

  // One promise for all that is sent in one turn: one for each publication would cost more than
  // sending it.
  #batch(): Promise<void> {
    if (this.#open === undefined) {
      this.#open = Promise.withResolvers();
      // Whoever asks sees the failure; a program that does not ask shall not end by it.
      this.#open.promise.catch(() => {});
      queueMicrotask(() => this.#flush());
    }
    return this.#open.promise;
  }

  #flush(): void {
    const sent = this.#open;
    if (sent === undefined) return;
    this.#open = undefined;
    const output = this.#output;
    if (output.failed || this.#closed) return sent.reject(this.#lost());
    this.#batches.push({ target: output.writtenBytes + output.pendingBytes, sent });
    output.flush();
  }

  async #pause(room: Promise<void>): Promise<void> {
    this.#paused = true;
    await room;
    this.#paused = false;
    this.heardAt = performance.now();
  }

  #written(): void {
    const { failed, writtenBytes } = this.#output;
    if (failed) return this.close(this.#lost());
    let batch = this.#batches.peek();
    for (; batch && batch.target <= writtenBytes; batch = this.#batches.peek()) {
      this.#batches.shift();
      batch.sent.resolve();
    }
  }

  async #receive(): Promise<unknown> {
    const input = new ReadBuffer();
    let failure: unknown;
    try {
      while (true) {
        const count = await this.#duplex.read(input.free());
        if (count === null) break;
        this.heardAt = performance.now();
        input.filled(count);
        const batch = this.#decoder.decode(input.bytes, input.start, input.end);
        for (const frame of batch.frames) {
          this.#handler.received(frame);
          const room = this.#handler.room();
          if (room) await this.#pause(room);
        }
        input.consume(batch.consumed);
        if (batch.error) throw batch.error;
      }
    } catch (error) {
      failure = error;
    }
    this.close(failure);
    for (const { sent } of this.#batches) sent.reject(this.#lost());
    this.#batches.clear();
    return this.#reason;
  }

  #lost(): PubSubError {
    const message = "The connection was lost before the publication was sent whole";
    return new PubSubError("disconnected", message, { cause: this.#reason });
  }
}
