import { Empty, type MsgHdrs } from "@nats-io/transport-node";
import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { isInbox } from "../../protocol/topic.ts";
import { headerLines, ORIGIN } from "./message_headers.ts";
import type { NatsLink } from "./nats_link.ts";
import { type TopicCounter, TopicCounters } from "./topic_counters.ts";

/** Copies of what is published are made in memory of this size, in bytes. */
const CHUNK_BYTES = 65_536;

/** More content gets memory of its own. */
const LARGE_BYTES = 8_192;

/** The most digits of a count, with the line's end and the empty line behind it. */
const COUNT_BYTES = 24;

const encoder = new TextEncoder();

/** How publications with one header object are sent. */
interface Form {
  readonly topic: string;
  readonly reply: string | undefined;
  /** The header lines for its fields. */
  readonly lines: string;
  /** What counts the topic; `undefined` for inboxes, whose topics do not come again. */
  counter: TopicCounter | undefined;
  /** The headers up to the count; without a counter, all of them. */
  head: Uint8Array;
  /** Whether a message without headers is taken for what it is: text in UTF-8. */
  readonly isBare: boolean;
}

/** Sends this broker's publications to NATS. */
export class Outgoing {
  /** How many were sent. */
  published = 0;
  readonly counters: TopicCounters = new TopicCounters();
  readonly #link: NatsLink;
  readonly #gateway: string;
  readonly #forms = new WeakMap<FrameHeader, Form>();
  #lastHeader: FrameHeader | undefined;
  #lastForm: Form | undefined;
  #chunk: Uint8Array<ArrayBuffer> = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  /** The headers of the message that is being sent; it is used over and over. */
  #headers: Uint8Array = Empty;
  readonly #options: { reply: string; headers: MsgHdrs };
  readonly #bareOptions = { reply: "" };

  /** @param gateway Names this start of this gateway. */
  constructor(link: NatsLink, gateway: string) {
    this.#link = link;
    this.#gateway = gateway;
    // Of headers that are sent, only this is ever asked for. Making them anew takes longer than all
    // else that is done for a message.
    const encoded = { encode: () => this.#headers } as unknown as MsgHdrs;
    this.#options = { reply: "", headers: encoded };
  }

  /** Why NATS cannot carry publications with a header; `undefined` if it can. */
  refusal(header: FrameHeader): Refusal | undefined {
    const topic = header["topic"] as string;
    const replyTo = header["reply-to"];
    const own = [topic, replyTo].find((each) => typeof each === "string" && each.startsWith("$"));
    if (own !== undefined) {
      const message = `Cannot carry ${quote(own)}: topics that begin with $ are those of NATS`;
      return { code: "bad-topic", message };
    }
    const length = header["content-length"];
    const { maxPayload } = this.#link;
    // With room for the largest count: the answer is the same for all publications with the header.
    const form = this.#formOf(header);
    const size = length + (form.counter ? form.head.length + COUNT_BYTES : form.head.length);
    if (size <= maxPayload || (form.isBare && length <= maxPayload)) return undefined;
    const message =
      `Cannot carry a content of ${length} bytes with its headers: the max_payload of ` +
      `the NATS server is ${maxPayload} bytes`;
    return { code: "frame-too-large", message };
  }

  /** Sends publications, which are copied. While there is no connection, they are only counted. */
  publish(frames: readonly Frame[], first: number, last: number): void {
    for (let i = first; i < last; i++) this.#send(frames[i]!);
  }

  #send(frame: Frame): void {
    const { header } = frame;
    if (header !== this.#lastHeader) {
      this.#lastForm = this.#formOf(header);
      this.#lastHeader = header;
    }
    const form = this.#lastForm!;
    const { counter } = form;
    if (counter) {
      if (counter.isOver) this.#count(form);
      this.counters.add(form.counter!);
    }
    if (!this.#link.connected) return;
    const { content } = frame;
    const options = this.#writeHeaders(form, content) ? this.#options : this.#bareOptions;
    options.reply = form.reply ?? "";
    const sent = this.#copy(content);
    try {
      this.#link.connection.publish(form.topic, sent, options);
    } catch {
      // Larger than the max_payload of a server that it is connected to since a moment ago: those who
      // subscribe are told by the count that something is missing.
      return;
    }
    this.published++;
    this.#link.sent(content.length + this.#headers.length + form.topic.length);
  }

  /** Writes the headers of a message; `false` if it goes without any. */
  #writeHeaders({ counter, head, isBare }: Form, { length }: Uint8Array): boolean {
    if (counter === undefined) this.#headers = head;
    else {
      const digits = String(counter.count);
      const size = head.length + digits.length + 4;
      const at = this.#take(size);
      const bytes = this.#chunk;
      bytes.set(head, at);
      let next = at + head.length;
      for (let i = 0; i < digits.length; i++) bytes[next++] = digits.charCodeAt(i);
      bytes[next++] = 0x0d;
      bytes[next++] = 0x0a;
      bytes[next++] = 0x0d;
      bytes[next++] = 0x0a;
      this.#headers = bytes.subarray(at, next);
    }
    if (this.#headers.length === 0) return false;
    if (!isBare || length + this.#headers.length <= this.#link.maxPayload) return true;
    // Where the headers do not fit beside a text, it goes without them, and is not counted.
    if (counter) counter.count--;
    this.#headers = Empty;
    return false;
  }

  /** Nothing of the publisher's buffer may be sent later: it is read into again. */
  #copy(content: Uint8Array): Uint8Array {
    const { length } = content;
    if (length > LARGE_BYTES) return content.slice();
    const at = this.#take(length);
    const copy = this.#chunk.subarray(at, at + length);
    copy.set(content);
    return copy;
  }

  #take(size: number): number {
    if (this.#used + size > this.#chunk.length) {
      this.#chunk = new Uint8Array(Math.max(CHUNK_BYTES, size));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += size;
    return at;
  }

  #formOf(header: FrameHeader): Form {
    let form = this.#forms.get(header);
    if (form === undefined) {
      const topic = header["topic"] as string;
      const { "reply-to": reply } = header;
      const lines = headerLines(header);
      form = {
        topic,
        reply: typeof reply === "string" ? reply : undefined,
        lines,
        counter: undefined,
        head: lines === "" ? Empty : encoder.encode(`NATS/1.0\r\n${lines}\r\n`),
        isBare: lines === "",
      };
      if (!isInbox(topic)) this.#count(form);
      this.#forms.set(header, form);
    }
    return form;
  }

  /** Has a topic counted. */
  #count(form: Form): void {
    const counter = form.counter = this.counters.of(form.topic);
    const origin = `${ORIGIN}: ${this.#gateway} ${counter.number} `;
    form.head = encoder.encode(`NATS/1.0\r\n${form.lines}${origin}`);
  }
}
