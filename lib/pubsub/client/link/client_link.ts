import { closeQuietly } from "../../../base/close_quietly.ts";
import { messageOf } from "../../../base/message_of.ts";
import { LimitLook } from "../../../base/periodic_look.ts";
import type { EncodedHead } from "../../../frame/encoded_head.ts";
import type { Frame } from "../../../frame/frame.ts";
import { FrameDecoder } from "../../../frame/frame_decoder.ts";
import type { FrameError } from "../../../frame/frame_error.ts";
import type { FrameHeader } from "../../../frame/header.ts";
import type { HeaderInit, OutgoingFrame } from "../../../frame/frame_encoder.ts";
import { type ByteDuplex, checkTransferred } from "../../../net/bytes/byte_duplex.ts";
import type { OutgoingStream } from "../../../net/bytes/outgoing_stream.ts";
import { LinkInput } from "./link_input.ts";
import { LinkOutput } from "./link_output.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { Sent, TellUnsent } from "./sent.ts";
import { TakenReports } from "./taken_reports.ts";

/** A connection from which nothing came for this many ping intervals is given up. */
const MAX_QUIET_INTERVALS = 3;

/** A duplex that does not end its read when it is closed is not waited for longer than this. */
const CLOSING_MS = 1_000;

/** The longest time from a `bye` until the connection is closed, if the broker does not close it. */
const LEAVING_MS = 250;

/** While more bytes than this wait to be sent, pings are not answered: what waits is a sign of life. */
const MAX_BEFORE_PONG_BYTES = 65_536;

/** A broker cannot ask for signs of life more often than this. */
const LEAST_INTERVAL_MS = 20;

/** What a {@linkcode ClientLink} does with what comes. */
export interface LinkHandler {
  /** Bytes were read; their frames come next. */
  readBegins(bytes: number): void;
  /** A frame came. Its bytes are the handler's. */
  received(frame: Frame, link: ClientLink): void;
  /** A frame came whose content is too large, and is skipped. */
  tooLarge(header: FrameHeader): void;
  /** What was read is handled, or a part of it. */
  readEnds(): void;
  /** What to wait for before more is handled; `undefined` if nothing. */
  room(): Promise<void> | undefined;
}

/** How a {@linkcode ClientLink} is used. */
export interface LinkOptions {
  readonly maxContentBytes: number;
  /** Is told of publications that are not sent, where nobody awaits their promise. */
  readonly tell: TellUnsent;
}

/** One connection of a client, from the first byte to the last. */
export class ClientLink {
  /** Resolves when it is over, to what ended it; `undefined` if the broker just closed it. */
  readonly ended: Promise<unknown>;
  readonly #duplex: ByteDuplex;
  readonly #output: LinkOutput;
  readonly #handler: LinkHandler;
  readonly #decoder: FrameDecoder;
  readonly #end = Promise.withResolvers<unknown>();
  /** Whether something came since the last ping interval, and when that was last so. */
  #heard = true;
  #heardAt = performance.now();
  /** How many bytes the socket had taken at the last ping interval. */
  #writtenBytes = 0;
  readonly #taken = new TakenReports();
  /** How many bytes the socket has taken when the last sign of life has left. */
  #signEnd = 0;
  #reason: unknown;
  /** Whether it is no longer used: nothing that comes is handled. */
  #closed = false;
  /** Whether nothing is read, because the program has to take messages first. */
  #paused = false;
  #pinging: LimitLook | undefined;
  #late: ReturnType<typeof setTimeout> | undefined;

  /** Takes over a duplex, and begins to read. */
  constructor(duplex: ByteDuplex, handler: LinkHandler, { maxContentBytes, tell }: LinkOptions) {
    this.#duplex = duplex;
    this.#handler = handler;
    this.#decoder = new FrameDecoder({ maxContentBytes });
    this.#output = new LinkOutput(duplex, (error) => this.close(error), tell);
    this.ended = this.#end.promise;
    void this.#receive();
  }

  /** Whether nothing is sent on it any more, nor taken from it. */
  get isClosed(): boolean {
    return this.#closed;
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
  send(frame: OutgoingFrame): Sent {
    return this.#output.send(frame);
  }

  /** As `LinkOutput.sendHead`. */
  sendHead(
    head: EncodedHead,
    content: Uint8Array | string,
    fields: string | undefined,
  ): Sent | undefined {
    return this.#output.sendHead(head, content, fields);
  }

  /** Sends frames that are encoded already. They are copied. Result as for `send`. */
  sendBytes(bytes: Uint8Array): Sent {
    return this.#output.sendBytes(bytes);
  }

  /** Sends a frame whose content is a stream, behind all that was sent before. Result as for `send`. */
  sendStream(stream: OutgoingStream): Sent {
    return this.#output.sendStream(stream);
  }

  /**
   * Sends a ping at every interval, and closes when nothing has come for three of them.
   *
   * @param onPaused Is called instead while nothing is read, because the program has to take messages.
   */
  keepAlive(intervalMs: number, onPaused: () => void): void {
    if (!(intervalMs > 0) || this.#closed) return;
    const everyMs = Math.max(intervalMs, LEAST_INTERVAL_MS);
    this.#pinging = new LimitLook(everyMs, (now) => {
      const { isStreaming, writtenBytes } = this.#output;
      // A ping waits behind a stream: the broker is there if it reads on. While nothing is read, its
      // silence cannot be noticed.
      const isThere = this.#heard || this.#paused ||
        isStreaming && writtenBytes > this.#writtenBytes;
      if (isThere) this.#heardAt = now;
      this.#heard = false;
      this.#writtenBytes = writtenBytes;
      if (now - this.#heardAt > MAX_QUIET_INTERVALS * everyMs) {
        this.close(new PubSubError("timed-out", "Nothing came from the broker for too long"));
      } else if (this.#paused) onPaused();
      else if (!isStreaming) this.#sendSign({ op: "ping" });
    });
    this.#pinging.start();
  }

  /** Answers a ping. A broker that pings and does not read cannot fill the memory with answers. */
  answerPing(id: unknown): void {
    if (this.pendingBytes > MAX_BEFORE_PONG_BYTES) return;
    void this.send({ header: { op: "pong", id } });
  }

  /** Sends a sign of life, unless the one before still waits to be sent. */
  #sendSign(header: HeaderInit): void {
    if (this.#output.writtenBytes < this.#signEnd) return;
    void this.send({ header });
    this.#signEnd = this.#output.writtenBytes + this.pendingBytes;
  }

  /** Closes it. The first reason counts. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#stop(reason);
    this.#output.close(reason);
    this.#shut();
  }

  /**
   * Closes it as its client wants it: says `bye`, so that the broker publishes no will, and closes
   * when the broker has, or after a quarter of a second. What waits to be sent is lost. What still
   * comes is read meanwhile: closing before would reset the connection, and the `bye` might be lost.
   */
  leave(reason?: unknown): void {
    if (this.#closed) return;
    this.#stop(reason);
    if (!this.#output.closeWith({ header: { op: "bye" } }, reason)) return this.#shut();
    this.#late = setTimeout(() => this.#shut(), LEAVING_MS);
  }

  #stop(reason: unknown): void {
    this.#closed = true;
    this.#reason = reason;
    this.#pinging?.stop();
  }

  #shut(): void {
    clearTimeout(this.#late);
    closeQuietly(this.#duplex);
    this.#late = setTimeout(() => this.#end.resolve(this.#reason), CLOSING_MS);
  }

  async #receive(): Promise<void> {
    let failure: unknown;
    try {
      await this.#read();
    } catch (error) {
      failure = error;
    }
    this.close(failure);
    closeQuietly(this.#duplex);
    clearTimeout(this.#late);
    this.#end.resolve(this.#reason);
  }

  async #read(): Promise<void> {
    const input = new LinkInput();
    while (!this.#closed) {
      const free = input.free();
      const count = await this.#duplex.read(free);
      if (count === null) return;
      checkTransferred(count, free.length);
      this.#heard = true;
      input.filled(count);
      this.#taken.came(count);
      this.#handler.readBegins(count);
      await this.#handle(input);
      this.#tellTaken(0);
      input.next(this.#decoder.needed);
    }
    const rest = input.free();
    while (await this.#duplex.read(rest) !== null);
  }

  /** Handles the frames that came. Most often there is nothing to wait for. */
  async #handle(input: LinkInput): Promise<void> {
    try {
      let error: FrameError | undefined;
      do {
        const batch = this.#decoder.decode(input.bytes, input.start, input.end);
        for (const frame of batch.frames) {
          if (this.#closed) return;
          this.#take(frame);
          // What is not read would wait all the same, and where nobody counts it.
          const room = this.#duplex.buffersInput ? undefined : this.#handler.room();
          if (room) await this.#pause(room, input.end - frame.end);
        }
        input.consume(batch.consumed);
        error = batch.error;
        if (error !== undefined) this.#skip(error);
      } while (error !== undefined);
    } finally {
      this.#handler.readEnds();
    }
  }

  /** @throws {PubSubError} if it is nothing that a broker sends. */
  #take(frame: Frame): void {
    try {
      this.#handler.received(frame, this);
    } catch (cause) {
      if (cause instanceof PubSubError) throw cause;
      throw brokenBy("what no broker sends", cause);
    }
  }

  /** @throws {PubSubError} if the stream cannot go on behind it. */
  #skip(error: FrameError): void {
    if (error.code !== "frame-too-large" || error.header === undefined) {
      throw brokenBy("a broken frame", error);
    }
    this.#handler.tooLarge(error.header);
  }

  async #pause(room: Promise<void>, waitingBytes: number): Promise<void> {
    this.#handler.readEnds();
    this.#tellTaken(waitingBytes);
    this.#paused = true;
    await room;
    this.#paused = false;
    this.#heard = true;
    this.#tellTaken(waitingBytes);
  }

  /** Tells the broker how far it has come, now and then. In the middle of a stream it cannot. */
  #tellTaken(waitingBytes: number): void {
    if (this.#closed || this.#output.isStreaming) return;
    const taken = this.#taken.due(waitingBytes, performance.now());
    if (taken !== undefined) this.#sendSign({ op: "pong", taken });
  }
}

function brokenBy(what: string, cause: unknown): PubSubError {
  const message = `The broker sent ${what}: ${messageOf(cause)}`;
  return new PubSubError("disconnected", message, { cause });
}
