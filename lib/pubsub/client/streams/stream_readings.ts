import type { Frame, FrameHeader, HeaderInit } from "../../../frame/mod.ts";
import type { ClientLink } from "../link/client_link.ts";
import type { ClientStatus } from "../client_status.ts";
import type { PendingAnswers } from "../publishing/pending_answers.ts";
import { RUN_OP } from "../../protocol/run_frame.ts";
import { PubSubError } from "../pubsub_error.ts";
import type { MessageFrame } from "../receiving/message.ts";
import { messagesOf } from "./run_message_frame.ts";
import type { DeliveryFields } from "./stream_message.ts";

/** After this time the broker is asked again whose streams are away. */
const RETRY_MS = 1_000;

/** Something that a client reads of a stream, for which the broker knows a `sid`. */
export interface StreamReading {
  /** What the broker is asked for, also on a later connection. */
  request(): { readonly op: "sub" | "consume" | "stream"; readonly fields: HeaderInit };
  /** The broker has agreed. What it sends may have come before this is called. */
  confirmed(header: FrameHeader): unknown;
  /** A message came, with what the broker says of it. */
  received(frame: MessageFrame, fields: DeliveryFields): void;
  /** A `missed` or `caught-up` came. */
  told(header: FrameHeader): void;
  /** The connection is lost; another one is tried. */
  disconnected(): void;
  /** Nothing comes any more. */
  ended(error: PubSubError): void;
  /** Ends in order; resolves when that is done. */
  stop(): Promise<void>;
}

/** All that a client reads of streams: the broker is told of it on each connection. */
export class StreamReadings {
  readonly #answers: PendingAnswers;
  readonly #status: ClientStatus;
  readonly #bySid = new Map<number, StreamReading>();
  /** Of those that are asked for again in a moment. */
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #unconfirmed = new Map<StreamReading, PromiseWithResolvers<void>>();
  #link: ClientLink | undefined;
  #lastSid = 0;

  /** Reads nothing at first. */
  constructor(answers: PendingAnswers, status: ClientStatus) {
    this.#answers = answers;
    this.#status = status;
  }

  /** The connection on which it reads; `undefined` while there is none. */
  get link(): ClientLink | undefined {
    return this.#link;
  }

  /**
   * Begins to read. Resolves once the broker has agreed, on this connection or a later one.
   *
   * @throws {PubSubError} what it was refused with; `closed`.
   */
  async start(reading: StreamReading): Promise<void> {
    this.#status.checkOpen();
    const sid = ++this.#lastSid;
    this.#bySid.set(sid, reading);
    const link = this.#link;
    if (link) {
      try {
        return await this.#ask(link, sid, reading);
      } catch (error) {
        if (isUnavailable(error, reading)) this.#askAgain(link, sid, reading);
        else if (!isLost(error)) {
          this.#bySid.delete(sid);
          throw error;
        }
        this.#status.checkOpen();
      }
    }
    // It may have been ended, or begun on another connection, meanwhile.
    if (this.#bySid.get(sid) !== reading) return;
    const waiting = Promise.withResolvers<void>();
    this.#unconfirmed.set(reading, waiting);
    await waiting.promise;
  }

  /** Ends reading; what still comes for it is dropped. Never rejects. */
  async end(reading: StreamReading): Promise<void> {
    // Only what is there now: while the broker answers, it may be begun anew.
    for (const [sid, other] of [...this.#bySid]) {
      if (other !== reading) continue;
      this.#bySid.delete(sid);
      this.#unconfirmed.get(reading)?.resolve();
      this.#unconfirmed.delete(reading);
      // With its connection it ends too, and the broker may not have known of it.
      if (this.#link) await this.#answers.ask(this.#link, "unsub", { sid }).catch(() => {});
    }
  }

  /** Tells the broker, on a new connection, of all there is. Rejects if the connection is lost. */
  async tellAll(link: ClientLink): Promise<void> {
    this.#link = link;
    await Promise.all([...this.#bySid].map(([sid, reading]) => this.#tell(link, sid, reading)));
  }

  /** The connection is lost. */
  disconnected(): void {
    this.#link = undefined;
    for (const reading of this.#bySid.values()) reading.disconnected();
  }

  /** Takes a frame that has a `sid`. */
  received(frame: Frame): void {
    const { header } = frame;
    const sid = header["sid"] as number;
    const reading = this.#bySid.get(sid);
    if (reading === undefined) return;
    if (header["op"] === "pub") reading.received(frame, header as unknown as DeliveryFields);
    else if (header["op"] !== RUN_OP) reading.told(header);
    else {
      for (const message of messagesOf(frame)) {
        // The program may have ended it at the message before.
        if (this.#bySid.get(sid) !== reading) return;
        reading.received(message, message);
      }
    }
  }

  /** The broker has ended what was read. */
  refused(sid: number, error: PubSubError): void {
    const reading = this.#bySid.get(sid);
    this.#bySid.delete(sid);
    reading?.ended(error);
  }

  /** Ends all in order. */
  async stop(): Promise<void> {
    await Promise.all([...this.#bySid.values()].map((reading) => reading.stop()));
  }

  /** Ends all at once. */
  close(error: PubSubError): void {
    this.#link = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const waiting of this.#unconfirmed.values()) waiting.reject(error);
    this.#unconfirmed.clear();
    for (const reading of this.#bySid.values()) reading.ended(error);
    this.#bySid.clear();
  }

  async #tell(link: ClientLink, sid: number, reading: StreamReading): Promise<void> {
    try {
      await this.#ask(link, sid, reading);
    } catch (error) {
      if (isLost(error)) throw error;
      if (isUnavailable(error, reading)) return this.#askAgain(link, sid, reading);
      this.#bySid.delete(sid);
      const waiting = this.#unconfirmed.get(reading);
      this.#unconfirmed.delete(reading);
      if (waiting) waiting.reject(error);
      else reading.ended(error as PubSubError);
      return;
    }
    this.#unconfirmed.get(reading)?.resolve();
    this.#unconfirmed.delete(reading);
  }

  /** What keeps the stream is away: it is asked for again after a while, as long as it is wanted. */
  #askAgain(link: ClientLink, sid: number, reading: StreamReading): void {
    // The client was closed meanwhile; or the next connection is told of it anyway.
    if (this.#link !== link) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#link !== link || this.#bySid.get(sid) !== reading) return;
      // If the connection is lost, the next one is told.
      this.#tell(link, sid, reading).catch(() => {});
    }, RETRY_MS);
    this.#timers.add(timer);
  }

  async #ask(link: ClientLink, sid: number, reading: StreamReading): Promise<void> {
    const { op, fields } = reading.request();
    reading.confirmed(await this.#answers.ask(link, op, { ...fields, sid }));
  }
}

/** Whether reading may begin later. A backup that is refused is not waited for. */
function isUnavailable(error: unknown, reading: StreamReading): boolean {
  return error instanceof PubSubError && error.code === "unavailable" &&
    reading.request().op !== "stream";
}

function isLost(error: unknown): boolean {
  return error instanceof PubSubError && error.code === "disconnected";
}
