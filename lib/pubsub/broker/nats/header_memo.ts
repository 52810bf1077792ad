import { type CarriedFields, NO_FIELDS, ORIGIN, readHeaders } from "./message_headers.ts";
import type { NatsMessage } from "./wire/nats_message.ts";

/** How many headers are remembered of one subject: each gateway has its own, and each set of fields. */
const MAX_KNOWN = 4;

/** Longer headers are not remembered. */
const MAX_KNOWN_BYTES = 512;

/** What the headers of a message say. */
export interface CarriedHeaders {
  readonly fields: CarriedFields;
  /** The start of the gateway that sent it, and the number of its counter; empty without a count. */
  readonly gateway: string;
  readonly number: number;
  /** Whether the count stands at the end of the headers, and nothing else in them changes. */
  readonly isCountLast: boolean;
  /** Its place among those of its topic, from 1; 0 if it is not counted, as of clients of NATS. */
  count: number;
}

/** What a message without headers carries. */
export const NO_HEADERS: CarriedHeaders = {
  fields: NO_FIELDS,
  gateway: "",
  number: 0,
  isCountLast: false,
  count: 0,
};

/** Headers that came before: only the count at their end changes. */
interface Known {
  /** The bytes up to the count. */
  readonly start: Uint8Array;
  readonly carried: CarriedHeaders;
}

const ZERO = 0x30;
const CR = 0x0d;
const EMPTY_LINE_BYTES = 4;

/**
 * Reads the headers of the messages on one subject. Those of a gateway differ in the count at their
 * end only, so the bytes before it are compared with those of earlier messages: 40 ns instead of 2 µs.
 */
export class HeaderMemo {
  readonly #known: Known[] = [];
  #next = 0;
  /** The last ones without a count. */
  #uncounted: Known | undefined;

  /**
   * Reads the headers of a message.
   *
   * @returns What they say, good until the next call; `undefined` if the server says something of
   * itself by them.
   */
  read(message: NatsMessage): CarriedHeaders | undefined {
    for (let i = 0; i < this.#known.length; i++) {
      const { start, carried } = this.#known[i]!;
      const count = countBehind(start, message);
      if (count === 0) continue;
      carried.count = count;
      return carried;
    }
    if (this.#uncounted && isWhole(this.#uncounted.start, message)) return this.#uncounted.carried;
    if (message.status > 0) return undefined;
    const fields = readHeaders(message.headers().map(([name, value]) => [name, [value]]));
    const [gateway = "", number, count = ""] = fields.origin?.split(" ") ?? [];
    if (!(Number(number) > 0) || !(Number(count) > 0)) {
      const carried = { ...NO_HEADERS, fields };
      const start = message.bytes.slice(message.headerStart, message.dataStart);
      if (start.length <= MAX_KNOWN_BYTES) this.#uncounted = { start, carried };
      return carried;
    }
    const isCountLast = endsIn(message, `${ORIGIN}: ${fields.origin}\r\n\r\n`);
    const carried = {
      fields,
      gateway,
      number: Number(number),
      isCountLast,
      count: Number(count),
    };
    if (isCountLast) this.#remember(message, carried, count.length);
    return carried;
  }

  #remember(
    { bytes, headerStart, dataStart }: NatsMessage,
    carried: CarriedHeaders,
    digits: number,
  ): void {
    if (dataStart - headerStart > MAX_KNOWN_BYTES) return;
    const start = bytes.slice(headerStart, dataStart - EMPTY_LINE_BYTES - digits);
    this.#known[this.#next++ % MAX_KNOWN] = { start, carried };
  }
}

function endsIn({ bytes, headerStart, dataStart }: NatsMessage, end: string): boolean {
  return dataStart - headerStart >= end.length &&
    new TextDecoder().decode(bytes.subarray(dataStart - end.length, dataStart)) === end;
}

/** The count behind these bytes, if the message's headers begin with them; else 0. */
function countBehind(start: Uint8Array, { bytes, headerStart, dataStart }: NatsMessage): number {
  const end = dataStart - EMPTY_LINE_BYTES;
  const from = headerStart + start.length;
  if (end <= from || bytes[end] !== CR) return 0;
  if (!begins(start, bytes, headerStart)) return 0;
  let count = 0;
  for (let i = from; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return 0;
    count = count * 10 + digit;
  }
  return count;
}

function isWhole(start: Uint8Array, { bytes, headerStart, dataStart }: NatsMessage): boolean {
  return start.length === dataStart - headerStart && begins(start, bytes, headerStart);
}

/** Compares from the end: the gateway and the number of its counter stand last. */
function begins(start: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = start.length - 1; i >= 0; i--) if (start[i] !== bytes[at + i]) return false;
  return true;
}
