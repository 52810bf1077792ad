import { ByteCache } from "../../../../base/byte_cache.ts";
import { NatsMessage } from "./nats_message.ts";
import { MAX_PAYLOAD } from "./max_payload.ts";

/** Is told what a server sends, in order. */
export interface NatsHandler {
  /**
   * @param message Valid only during the call. The handler may deal with messages behind it too, and
   * skip them.
   */
  message(message: NatsMessage): void;
  /** The server describes itself and its cluster, as JSON. */
  info(json: string): void;
  /** The server wants a sign of life. */
  ping(): void;
  /** The server has dealt with what was sent before the ping that this answers. */
  pong(): void;
  /** The server refuses something, or is about to close the connection. */
  refused(reason: string): void;
}

/** A server sends what is no NATS. */
export class NatsProtocolError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "NatsProtocolError";
}

/** The longest line; that which describes a cluster has the addresses of all its servers. */
const MAX_LINE_BYTES = 65_536;

/** After this many messages or lines others may have their turn: 100 µs of work, where each is new 1 ms. */
const AT_ONCE = 256;

/** Lines of messages up to this length are compared with the one before. */
const MAX_KNOWN_BYTES = 512;

/** How many subjects are remembered as texts. */
const SUBJECTS = 512;

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;

const decoder = new TextDecoder();

/**
 * Reads what a NATS server sends, in the caller's memory and without a copy.
 *
 * The messages of one subject and size have the same line before them: it is compared with the last
 * one, and read only if it differs. So a message takes 40 ns, and 200 if its line is another one.
 */
export class NatsParser {
  readonly #handler: NatsHandler;
  readonly #message = new NatsMessage();
  readonly #subjects = new ByteCache<string>(SUBJECTS);
  /** The last line of a message, to its line feed, and what it says. */
  readonly #known = new Uint8Array(MAX_KNOWN_BYTES);
  #knownBytes = 0;
  #headerBytes = 0;
  #totalBytes = 0;
  /** Where the words of a line begin and end. */
  readonly #words: number[] = [];
  /** Whether there was more when the last call stopped. */
  hasMore = false;

  constructor(handler: NatsHandler) {
    this.#handler = handler;
  }

  /**
   * Reads `bytes[start, end)`, which has to begin with what the last call did not consume. It stops
   * after some messages; {@linkcode NatsParser.hasMore} says whether there are others.
   *
   * @returns How many bytes were consumed; the rest is not complete, or is to be read by another call.
   * @throws {NatsProtocolError}
   */
  parse(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    this.hasMore = false;
    for (let count = 0; at < end; count++) {
      if (count === AT_ONCE) {
        this.hasMore = true;
        break;
      }
      const first = bytes[at];
      // `MSG` and `HMSG`.
      const next = first === 0x48 || first === 0x4d
        ? this.#messageAt(bytes, at, end)
        : this.#plainAt(bytes, at, end) ?? this.#lineAt(bytes, at, end);
      if (next < 0) break;
      at = next;
    }
    return at - start;
  }

  /** Reads a message; -1 if it is not complete. */
  #messageAt(bytes: Uint8Array, at: number, end: number): number {
    const headerStart = this.#isKnown(bytes, at, end)
      ? at + this.#knownBytes
      : this.#learn(bytes, at, end);
    if (headerStart < 0) return -1;
    const dataEnd = headerStart + this.#totalBytes;
    if (dataEnd + 2 > end) return -1;
    if (bytes[dataEnd] !== CR || bytes[dataEnd + 1] !== LF) throw broken(bytes, at, headerStart);
    const message = this.#message;
    message.bytes = bytes;
    message.limit = end;
    message.start = at;
    message.headerStart = headerStart;
    message.dataStart = headerStart + this.#headerBytes;
    message.end = dataEnd;
    this.#handler.message(message);
    // The handler may have skipped others, too.
    return message.end + 2;
  }

  #isKnown(bytes: Uint8Array, at: number, end: number): boolean {
    const count = this.#knownBytes;
    if (count === 0 || at + count > end) return false;
    const known = this.#known;
    // Sizes stand last, and differ most often.
    for (let i = count - 1; i >= 0; i--) if (known[i] !== bytes[at + i]) return false;
    return true;
  }

  /** Reads the line of a message: `MSG subject sid [reply] total`, `HMSG … headers total`. */
  #learn(bytes: Uint8Array, at: number, end: number): number {
    const next = lineEnd(bytes, at, end);
    if (next < 0) return -1;
    this.#knownBytes = 0;
    const words = this.#words;
    words.length = 0;
    let begin = -1;
    for (let i = at; i <= next - 2; i++) {
      const isWord = i < next - 2 && bytes[i] !== SPACE && bytes[i] !== 0x09;
      if (isWord === begin >= 0) continue;
      if (isWord) begin = i;
      else {
        words.push(begin, i);
        begin = -1;
      }
    }
    const hasHeaders = bytes[at] === 0x48;
    const count = words.length / 2;
    const sizes = hasHeaders ? 2 : 1;
    const hasReply = count === 4 + sizes;
    const isMessage = words[1] === (hasHeaders ? at + 4 : at + 3) && bytes[words[1] - 1] === 0x47;
    if (!isMessage || (!hasReply && count !== 3 + sizes)) throw broken(bytes, at, next);
    const message = this.#message;
    message.subject = this.#subject(bytes, words[2]!, words[3]!);
    message.sid = numberAt(bytes, words[4]!, words[5]!);
    message.reply = hasReply ? decoder.decode(bytes.subarray(words[6], words[7])) : "";
    const last = words.length - 2;
    const total = numberAt(bytes, words[last]!, words[last + 1]!);
    const headers = hasHeaders ? numberAt(bytes, words[last - 2]!, words[last - 1]!) : 0;
    const isSized = headers >= 0 && headers <= total && total <= MAX_PAYLOAD;
    if (!(message.sid >= 0 && isSized)) throw broken(bytes, at, next);
    this.#headerBytes = headers;
    this.#totalBytes = total;
    if (next - at <= MAX_KNOWN_BYTES) {
      this.#known.set(bytes.subarray(at, next));
      this.#knownBytes = next - at;
    }
    return next;
  }

  #subject(bytes: Uint8Array, start: number, end: number): string {
    const known = this.#subjects.find(bytes, start, end);
    if (known !== undefined) return known;
    const subject = decoder.decode(bytes.subarray(start, end));
    this.#subjects.add(bytes, start, end, subject);
    return subject;
  }

  /** Reads `PING`, `PONG` or `+OK` as servers write them; `undefined` if it is another line. */
  #plainAt(bytes: Uint8Array, at: number, end: number): number | undefined {
    if (at + 6 <= end && bytes[at] === 0x50 && isThere(NG, bytes, at + 2)) {
      if (bytes[at + 1] === 0x49) this.#handler.ping();
      else if (bytes[at + 1] === 0x4f) this.#handler.pong();
      else return undefined;
      return at + 6;
    }
    return at + 5 <= end && isThere(OK, bytes, at) ? at + 5 : undefined;
  }

  /** Reads a line that is no message's; -1 if it is not complete. */
  #lineAt(bytes: Uint8Array, at: number, end: number): number {
    const next = lineEnd(bytes, at, end);
    if (next < 0) return -1;
    const line = decoder.decode(bytes.subarray(at, next - 2));
    const [, word, rest = ""] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
    switch (word?.toUpperCase()) {
      case "PING":
        this.#handler.ping();
        break;
      case "PONG":
        this.#handler.pong();
        break;
      case "INFO":
        this.#handler.info(rest);
        break;
      case "-ERR":
        this.#handler.refused(rest.replace(/^'(.*)'$/s, "$1"));
        break;
      case "+OK":
        break;
      default:
        throw broken(bytes, at, next);
    }
    return next;
  }
}

const encoder = new TextEncoder();
const NG = encoder.encode("NG\r\n");
const OK = encoder.encode("+OK\r\n");

function isThere(text: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Where the next line begins; -1 if this one is not complete. */
function lineEnd(bytes: Uint8Array, at: number, end: number): number {
  // Behind the end are bytes of earlier reads.
  const feed = bytes.indexOf(LF, at);
  const isWhole = feed >= 0 && feed < end;
  const isLine = isWhole && feed > at && bytes[feed - 1] === CR;
  if (isLine && feed - at <= MAX_LINE_BYTES) return feed + 1;
  if (isWhole || end - at > MAX_LINE_BYTES) throw broken(bytes, at, end);
  return -1;
}

/** A number in decimal digits; NaN if it is none. */
function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : NaN;
}

function broken(bytes: Uint8Array, start: number, end: number): NatsProtocolError {
  const line = decoder.decode(bytes.subarray(start, Math.min(end, start + 80))).trimEnd();
  return new NatsProtocolError(`A server sent what is no NATS: ${JSON.stringify(line)}`);
}
