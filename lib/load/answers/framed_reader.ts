import { SPEAKS_TLS, startsTlsRecord } from "../../base/tls_record.ts";
import { LoadError } from "../load_error.ts";
import {
  type AnswerBytes,
  type AnswerLength,
  type AnswerUntil,
  LENGTH_BYTES,
} from "./answer_format.ts";
import type { AnswerReader, OnAnswer } from "./answer_reader.ts";

/** The most bytes of an answer that are kept, for what checks its content. */
const KEPT_BYTES = 65_536;

/** Finds where answers end. It keeps its place in an answer from one call to the next. */
interface EndFinder {
  /**
   * Looks for the end of the answer that has begun, or begins.
   *
   * @returns the offset behind its last byte; -1 if that has not come.
   * @throws {LoadError} if it is no answer.
   */
  find(buffer: Uint8Array, start: number, end: number): number;
}

/** Reads answers whose end is found in their bytes. */
export class FramedReader implements AnswerReader {
  /** Every byte is looked at. */
  readonly looksAtBytes = true;
  /** Bytes that were given to the connection. */
  sentBytes = 0;
  readonly #finder: EndFinder;
  readonly #onAnswer: OnAnswer;
  readonly #kept: Uint8Array | undefined;
  /** Bytes of the answer that has begun. */
  #length = 0;
  #nothingCame = true;

  /** @param keep Whether the answers' content is handed on, up to its first 64 KiB. */
  constructor(
    format: AnswerUntil | AnswerBytes | AnswerLength | "close",
    keep: boolean,
    onAnswer: OnAnswer,
  ) {
    this.#finder = finderOf(format);
    this.#onAnswer = onAnswer;
    this.#kept = keep ? new Uint8Array(KEPT_BYTES) : undefined;
  }

  /** Tells of the answers that are whole. */
  take(buffer: Uint8Array, count: number): void {
    if (this.#nothingCame && startsTlsRecord(buffer, 0, count)) {
      throw new LoadError("wrong", SPEAKS_TLS);
    }
    this.#nothingCame = false;
    for (let at = 0; at < count;) {
      const end = this.#finder.find(buffer, at, count);
      this.#add(buffer, at, end < 0 ? count : end);
      if (end < 0) return;
      this.#tell();
      at = end;
    }
  }

  /** Right where the end of the connection is the end of an answer. */
  closed(): boolean {
    if (this.#finder !== NEVER || this.sentBytes === 0) return false;
    this.#tell();
    return true;
  }

  #add(buffer: Uint8Array, start: number, end: number): void {
    if (this.#kept && this.#length < KEPT_BYTES) {
      const room = KEPT_BYTES - this.#length;
      this.#kept.set(buffer.subarray(start, Math.min(end, start + room)), this.#length);
    }
    this.#length += end - start;
  }

  #tell(): void {
    const length = this.#length;
    this.#length = 0;
    this.#onAnswer(1, length, this.#kept?.subarray(0, Math.min(length, KEPT_BYTES)));
  }
}

/** The end that no bytes make. */
const NEVER: EndFinder = { find: () => -1 };

function finderOf(format: AnswerUntil | AnswerBytes | AnswerLength | "close"): EndFinder {
  if (format === "close") return NEVER;
  if ("bytes" in format) return new FixedEnd(format.bytes);
  if ("length" in format) return new LengthEnd(format);
  const { until } = format;
  return new DelimiterEnd(typeof until === "string" ? new TextEncoder().encode(until) : until);
}

class FixedEnd implements EndFinder {
  readonly #size: number;
  #left: number;

  constructor(size: number) {
    this.#size = this.#left = size;
  }

  find(_: Uint8Array, start: number, end: number): number {
    if (end - start < this.#left) {
      this.#left -= end - start;
      return -1;
    }
    const at = start + this.#left;
    this.#left = this.#size;
    return at;
  }
}

class LengthEnd implements EndFinder {
  readonly #prefixBytes: number;
  readonly #little: boolean;
  readonly #inclusive: boolean;
  #prefixLeft: number;
  #value = 0;
  #left = -1;

  constructor({ length, inclusive = false }: AnswerLength) {
    this.#prefixBytes = this.#prefixLeft = LENGTH_BYTES[length];
    this.#little = length.endsWith("le");
    this.#inclusive = inclusive;
  }

  find(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.#prefixLeft > 0) {
      if (at === end) return -1;
      const place = this.#little ? this.#prefixBytes - this.#prefixLeft : this.#prefixLeft - 1;
      // Not a shift: that would give a negative number from 2^31 on.
      this.#value += buffer[at++]! * 256 ** place;
      if (--this.#prefixLeft === 0) this.#left = this.#contentBytes();
    }
    if (end - at < this.#left) {
      this.#left -= end - at;
      return -1;
    }
    at += this.#left;
    this.#prefixLeft = this.#prefixBytes;
    this.#value = 0;
    return at;
  }

  #contentBytes(): number {
    const bytes = this.#inclusive ? this.#value - this.#prefixBytes : this.#value;
    if (bytes >= 0) return bytes;
    throw new LoadError(
      "wrong",
      `an answer's length is ${this.#value}, less than the ${this.#prefixBytes} bytes it is written in`,
    );
  }
}

/** Finds a text by the method of Knuth, Morris and Pratt, so that it may be cut anywhere. */
class DelimiterEnd implements EndFinder {
  readonly #delimiter: Uint8Array;
  /** How many of its bytes still match where byte i + 1 does not. */
  readonly #fallbacks: readonly number[];
  #matched = 0;

  constructor(delimiter: Uint8Array) {
    this.#delimiter = delimiter.slice();
    const fallbacks = [0];
    for (let i = 1, k = 0; i < delimiter.length; i++) {
      while (k > 0 && delimiter[i] !== delimiter[k]) k = fallbacks[k - 1]!;
      if (delimiter[i] === delimiter[k]) k++;
      fallbacks.push(k);
    }
    this.#fallbacks = fallbacks;
  }

  find(buffer: Uint8Array, start: number, end: number): number {
    const delimiter = this.#delimiter;
    const [first] = delimiter;
    let matched = this.#matched;
    for (let at = start; at < end; at++) {
      if (matched === 0) {
        at = buffer.indexOf(first!, at);
        if (at < 0 || at >= end) return -1;
      }
      while (matched > 0 && buffer[at] !== delimiter[matched]) {
        matched = this.#fallbacks[matched - 1]!;
      }
      if (buffer[at] === delimiter[matched]) matched++;
      if (matched < delimiter.length) continue;
      this.#matched = 0;
      return at + 1;
    }
    this.#matched = matched;
    return -1;
  }
}
