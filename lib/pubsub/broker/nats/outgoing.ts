import type { ByteBuffer, Frame, FrameHeader } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { isInbox } from "../../protocol/topic.ts";
import type { CoreLink } from "./core_link.ts";
import { digitsOf, END_BYTES, writeMessages } from "./message_block.ts";
import { headerLines, ORIGIN } from "./message_headers.ts";
import { type TopicCounter, TopicCounters } from "./topic_counters.ts";

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
  /** What stands before the count: the line `HPUB` and `head`; without a counter, before the content. */
  start: Uint8Array;
  /** The counts that `start` fits, whose digits its line counts in: at least `from`, less than `below`. */
  from: number;
  below: number;
}

/** Sends this broker's publications to NATS. */
export class Outgoing {
  /** How many were sent. */
  published = 0;
  readonly counters: TopicCounters = new TopicCounters();
  readonly #link: CoreLink;
  readonly #gateway: string;
  readonly #forms = new WeakMap<FrameHeader, Form>();
  #lastHeader: FrameHeader | undefined;
  #lastForm: Form | undefined;

  /** @param gateway Names this start of this gateway. */
  constructor(link: CoreLink, gateway: string) {
    this.#link = link;
    this.#gateway = gateway;
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
    for (let i = first; i < last;) {
      const { header } = frames[i]!;
      let end = i + 1;
      while (end < last && frames[end]!.header === header) end++;
      this.#sendAlike(frames, i, end);
      i = end;
    }
    this.#link.flushSoon();
  }

  /** Sends frames that have one header object. */
  #sendAlike(frames: readonly Frame[], first: number, last: number): void {
    const { header } = frames[first]!;
    if (header !== this.#lastHeader) {
      this.#lastForm = this.#formOf(header);
      this.#lastHeader = header;
    }
    const form = this.#lastForm!;
    if (form.counter?.isOver) this.#count(form);
    const { counter } = form;
    const length = header["content-length"];
    const { output, maxPayload } = this.#link;
    for (let i = first; i < last;) {
      const count = counter ? counter.count + 1 : 0;
      if (count < form.from || count >= form.below) fillStart(form, length, count);
      // Those whose counts have as many digits are of one size.
      const end = Math.min(last, i + form.below - count);
      const fits = headersOf(form, count) + length <= maxPayload;
      // Where the headers do not fit beside a text, it goes without them, and is not counted.
      const isBare = !fits && form.isBare && length <= maxPayload && output !== undefined;
      if (counter && !isBare) this.counters.add(counter, end - i);
      if (output !== undefined && (fits || isBare)) {
        if (fits) writeMessages(output, form.start, counter && count, frames, i, end);
        else for (let each = i; each < end; each++) writeBare(output, form, frames[each]!);
        this.published += end - i;
      }
      // Where the link has just moved to a server with a smaller max_payload, what is larger is left
      // out: subscribers learn of it by the count.
      i = end;
    }
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
        head: encoder.encode(lines === "" ? "" : `NATS/1.0\r\n${lines}\r\n`),
        isBare: lines === "",
        start: NOTHING,
        from: 0,
        below: 0,
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
    form.from = form.below = 0;
  }
}

const NOTHING = new Uint8Array(0);

/** How many bytes the headers of a message have. */
function headersOf({ head, counter }: Form, count: number): number {
  return counter === undefined ? head.length : head.length + digitsOf(count) + END_BYTES;
}

/** Makes what stands before a count, for all counts of as many digits. */
function fillStart(form: Form, contentLength: number, count: number): void {
  const { head, counter } = form;
  const headers = headersOf(form, count);
  const sizes = headers === 0 ? contentLength : `${headers} ${headers + contentLength}`;
  const line = encoder.encode(`${headers === 0 ? "PUB" : "HPUB"} ${placeOf(form)} ${sizes}\r\n`);
  form.start = new Uint8Array(line.length + head.length);
  form.start.set(line);
  form.start.set(head, line.length);
  form.from = counter === undefined ? 0 : 10 ** (digitsOf(count) - 1);
  form.below = counter === undefined ? Infinity : 10 ** digitsOf(count);
}

function writeBare(output: ByteBuffer, form: Form, { content }: Frame): void {
  output.append(encoder.encode(`PUB ${placeOf(form)} ${content.length}\r\n`));
  output.append(content);
  output.append(encoder.encode("\r\n"));
}

function placeOf({ topic, reply }: Form): string {
  return reply === undefined ? topic : `${topic} ${reply}`;
}
