import { closeQuietly } from "../../base/close_quietly.ts";
import { PeriodicLook } from "../../base/periodic_look.ts";
import { type Frame, FrameDecoder, type OutgoingFrame } from "../../frame/mod.ts";
import type { ByteDuplex } from "../../net/bytes/byte_duplex.ts";
import type { OutgoingStream } from "../../net/bytes/outgoing_stream.ts";
import { ReadBuffer } from "../../net/bytes/read_buffer.ts";
import { LinkOutput } from "./link_output.ts";
import { PubSubError } from "./pubsub_error.ts";

/** A connection from which nothing came for this many ping intervals is given up. */
const MAX_QUIET_INTERVALS = 3;

/** What a {@linkcode ClientLink} does with what comes. */
export interface LinkHandler {
  /** A frame came; its bytes are good until this returns. */
  received(frame: Frame, link: ClientLink): void;
  /** What to wait for before more is read; `undefined` if nothing. */
  room(): Promise<void> | undefined;
}

/** One connection of a client, from the first byte to the last. */
export class ClientLink {
  /** Resolves when it is over, to what ended it; `undefined` if the broker just closed it. */
  readonly ended: Promise<unknown>;
  readonly #duplex: ByteDuplex;
  readonly #output: LinkOutput;
  readonly #handler: LinkHandler;
  readonly #decoder: FrameDecoder;
  /** When something last came, in milliseconds of `performance.now()`. */
  #heardAt = performance.now();
  /** How many bytes the socket had taken at the last ping interval. */
  #writtenBytes = 0;
  #reason: unknown;
  #closed = false;
  /** Whether nothing is read, because the program has to take messages first. */
  #paused = false;
  #pinging: PeriodicLook | undefined;

  /** Takes over a duplex, and begins to read. */
  constructor(duplex: ByteDuplex, handler: LinkHandler, maxContentBytes: number) {
    this.#duplex = duplex;
    this.#handler = handler;
    this.#decoder = new FrameDecoder({ maxContentBytes });
    this.#output = new LinkOutput(duplex, (error) => this.close(error));
    this.ended = this.#receive();
  }

  /** Bytes that the socket has not taken. */
  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  /**
   * Sends a frame, in one write with whatever else is sent in this turn of the event loop.
   *
   * @returns A promise that resolves when the socket has taken the whole frame, and rejects if it
   * does not. It is the same for all that is sent in one turn.
   * @throws {TypeError | RangeError} as `writeFrame` does; nothing is sent then.
   */
  send(frame: OutgoingFrame): Promise<void> {
    return this.#output.send(frame);
  }

  /** Sends frames that are encoded already. They are copied. Result as for `send`. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    return this.#output.sendBytes(bytes);
  }

  /** Sends a frame whose content is a stream, behind all that was sent before. Result as for `send`. */
  sendStream(stream: OutgoingStream): Promise<void> {
    return this.#output.sendStream(stream);
  }

  /** Resolves once everything is sent; rejects if the connection is lost before. */
  flushed(): Promise<void> {
    return this.#output.flushed();
  }

  /** Sends a ping at every interval, and closes when nothing has come for three of them. */
  keepAlive(intervalMs: number): void {
    if (!(intervalMs > 0) || this.#closed) return;
    this.#pinging = new PeriodicLook(intervalMs, (now) => {
      const { isStreaming, writtenBytes } = this.#output;
      // A ping waits behind a stream: the broker is there if it reads on.
      if (isStreaming && writtenBytes > this.#writtenBytes) this.#heardAt = now;
      this.#writtenBytes = writtenBytes;
      const quietMs = now - this.#heardAt;
      // While nothing is read, the broker's silence cannot be noticed.
      if (!this.#paused && quietMs > MAX_QUIET_INTERVALS * intervalMs) {
        this.close(new PubSubError("timed-out", "Nothing came from the broker for too long"));
      } else if (!isStreaming) void this.send({ header: { op: "ping" } });
    });
    this.#pinging.start();
  }

  /** Closes it. The first reason counts. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    this.#pinging?.stop();
    this.#output.close(reason);
    closeQuietly(this.#duplex);
  }

  async #receive(): Promise<unknown> {
    const input = new ReadBuffer();
    let failure: unknown;
    try {
      while (true) {
        const count = await this.#duplex.read(input.free());
        if (count === null) break;
        this.#heardAt = performance.now();
        input.filled(count);
        const batch = this.#decoder.decode(input.bytes, input.start, input.end);
        for (const frame of batch.frames) {
          this.#handler.received(frame, this);
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
    return this.#reason;
  }

  async #pause(room: Promise<void>): Promise<void> {
    this.#paused = true;
    await room;
    this.#paused = false;
    this.#heardAt = performance.now();
  }
}
