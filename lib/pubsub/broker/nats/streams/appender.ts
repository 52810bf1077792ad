import type { ApiError } from "@nats-io/jetstream";
import { Condition } from "../../../../base/condition.ts";
import type { Frame } from "../../../../frame/mod.ts";
import { quote } from "../../../protocol/quote.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type { OnStored } from "../../streams/stream_store.ts";
import { headerLines, ORIGIN, replyToLine } from "../message_headers.ts";
import type { CoreLink } from "../core_link.ts";
import type { TopicCounters } from "../topic_counters.ts";
import { type NatsMessage, NO_RESPONDERS } from "../wire/nats_message.ts";
import { failureOf } from "./jetstream_api.ts";

/** How long to wait until JetStream says that it has a publication. */
const ACK_MS = 5_000;

/** Publications, and their bytes, that JetStream has not confirmed: at these limits publishers wait. */
const MAX_UNCONFIRMED = 8_192;
const MAX_UNCONFIRMED_BYTES = 16_777_216;

/**
 * What is left free beside a publication, in bytes: as a dead letter it must still fit, with a longer
 * topic and why it is one.
 */
const SPARE_BYTES = 1_024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NOTHING = new Uint8Array(0);
const END = encoder.encode("\r\n");

/** A publication that JetStream has not confirmed. */
interface Unconfirmed {
  readonly sentAt: number;
  readonly bytes: number;
  readonly tried: string;
  readonly onStored: OnStored;
}

/** What JetStream answers to a publication. */
interface Answer {
  readonly seq?: unknown;
  readonly duplicate?: boolean;
  readonly error?: ApiError;
}

/**
 * Publishes what streams keep. It goes to the topic, where JetStream takes it and plain subscribers
 * get it; whoever asks for it is told once JetStream has it.
 */
export class JetStreamAppender {
  readonly #link: CoreLink;
  readonly #gateway: string;
  readonly #counters: TopicCounters;
  /** Where JetStream answers: gateways take no subject that begins with $ for a client's inbox. */
  readonly #answers: string;
  /** By number, in the order in which they were sent. */
  readonly #unconfirmed = new Map<number, Unconfirmed>();
  #unconfirmedBytes = 0;
  #last = 0;
  readonly #room = new Condition();

  /** @param gateway Names this start of this gateway. */
  constructor(link: CoreLink, gateway: string, counters: TopicCounters) {
    this.#link = link;
    this.#gateway = gateway;
    this.#counters = counters;
    this.#answers = `$socktool.stored.${gateway}`;
    link.subscribe(`${this.#answers}.*`, { received: (message) => this.#answered(message) });
  }

  /**
   * Publishes one frame, which is copied.
   *
   * @param messageId In place of the publisher's.
   */
  store(
    { header, content }: Frame,
    stream: string,
    onStored: OnStored | undefined,
    messageId?: string,
  ): void {
    const topic = header["topic"] as string;
    const tried = `Cannot store a publication on ${quote(topic)}`;
    const isAsked = header["stored"] === true || messageId !== undefined;
    if (isAsked && !this.#link.connected) {
      const message = `${tried}: there is no connection to NATS`;
      return onStored?.(new StreamError("unavailable", message));
    }
    const counter = this.#counters.of(topic);
    this.#counters.add(counter);
    const { output } = this.#link;
    if (output === undefined) return;
    const own = headerLines(header);
    const isBare = own === "" && !isAsked;
    // Of two headers with one name NATS takes the first. The gateway's own is last, where readers look
    // for the count.
    const { "reply-to": replyTo } = header;
    const lines = (isAsked ? askedLines(header, stream, messageId) : "") + own +
      (typeof replyTo === "string" ? replyToLine(replyTo) : "") +
      `${ORIGIN}: ${this.#gateway} ${counter.number} ${counter.count}\r\n`;
    let headers: Uint8Array = encoder.encode(`NATS/1.0\r\n${lines}\r\n`);
    const { maxPayload } = this.#link;
    const size = content.length + headers.length;
    if (size + (isAsked && messageId === undefined ? SPARE_BYTES : 0) > maxPayload) {
      // A text goes without headers then, and is not counted.
      counter.count--;
      if (isAsked) return onStored?.(tooLarge(tried, content.length, maxPayload));
      if (!isBare || content.length > maxPayload) return;
      headers = NOTHING;
    }
    const number = ++this.#last;
    const place = onStored ? `${topic} ${this.#answers}.${number}` : topic;
    const line = headers.length === 0
      ? `PUB ${place} ${content.length}\r\n`
      : `HPUB ${place} ${headers.length} ${headers.length + content.length}\r\n`;
    for (const part of [encoder.encode(line), headers, content, END]) output.append(part);
    this.#link.flushSoon();
    if (onStored === undefined) return;
    this.#unconfirmedBytes += size;
    this.#unconfirmed.set(number, { sentAt: performance.now(), bytes: size, tried, onStored });
  }

  /** What publishers have to wait for. */
  room(): Promise<void> | undefined {
    const isFull = this.#unconfirmed.size > MAX_UNCONFIRMED ||
      this.#unconfirmedBytes > MAX_UNCONFIRMED_BYTES;
    if (!isFull) return this.#link.room();
    return this.#room.wait();
  }

  /** Gives up on those that JetStream does not confirm. */
  look(now: number): void {
    for (const [number, { sentAt, tried }] of this.#unconfirmed) {
      if (now - sentAt < ACK_MS) return;
      this.#settle(number, unknown(tried));
    }
  }

  /** Gives up on all. */
  close(): void {
    for (const [number, { tried }] of this.#unconfirmed) this.#settle(number, unknown(tried));
  }

  #answered(message: NatsMessage): void {
    const number = Number(message.subject.slice(this.#answers.length + 1));
    const tried = this.#unconfirmed.get(number)?.tried;
    if (tried === undefined) return;
    if (message.status === NO_RESPONDERS) {
      const error = `${tried}: no server of JetStream takes it at the moment`;
      return this.#settle(number, new StreamError("unavailable", error));
    }
    let answer: Answer;
    try {
      answer = JSON.parse(decoder.decode(message.data));
    } catch {
      // A stranger answers too; JetStream is still to come.
      return;
    }
    const { seq, duplicate = false, error } = answer;
    if (error) this.#settle(number, failureOf(tried, error));
    // Servers from 2.10.16 on answer so if another publication with this id is on its way into the
    // stream: it may still be lost there.
    else if (duplicate && seq === 0) this.#settle(number, unknown(tried));
    else if (typeof seq === "number") this.#settle(number, { seq, duplicate });
  }

  #settle(number: number, outcome: Parameters<OnStored>[0]): void {
    const { bytes, onStored } = this.#unconfirmed.get(number)!;
    this.#unconfirmed.delete(number);
    this.#unconfirmedBytes -= bytes;
    if (this.#unconfirmed.size <= MAX_UNCONFIRMED / 2) this.#room.notify();
    onStored(outcome);
  }
}

/** What JetStream is asked to look at before it stores a publication. */
function askedLines(header: Frame["header"], stream: string, messageId?: string): string {
  const { "msg-id": own, "expect-seq": expected } = header;
  const id = messageId ?? (typeof own === "string" ? headerText(own) : undefined);
  let lines = `Nats-Expected-Stream: ${stream}\r\n`;
  if (id !== undefined) lines += `Nats-Msg-Id: ${id}\r\n`;
  if (expected !== undefined) lines += `Nats-Expected-Last-Subject-Sequence: ${expected}\r\n`;
  return lines;
}

/** A message id as a header can hold it. Different ids stay different. */
function headerText(id: string): string {
  return /^[!-$&-~][!-~]*$/.test(id) ? id : `%${encodeURIComponent(id)}`;
}

function tooLarge(tried: string, length: number, maxPayload: number): StreamError {
  const message = `${tried}: a content of ${length} bytes with its headers, and ${SPARE_BYTES} ` +
    `bytes for a dead letter's, is more than the max_payload of the NATS server: ${maxPayload}`;
  return new StreamError("frame-too-large", message);
}

function unknown(tried: string): StreamError {
  const message =
    `${tried}: JetStream has not confirmed it in time. It may have it nevertheless: ` +
    "with a msg-id it can be published again";
  return new StreamError("unavailable", message);
}
