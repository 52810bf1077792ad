import { describeDifference } from "../../base/first_difference.ts";
import { SPEAKS_TLS, startsTlsRecord } from "../../base/tls_record.ts";
import { LoadError } from "../load_error.ts";
import type { Payload } from "../payload.ts";
import type { AnswerReader, OnAnswer } from "./answer_reader.ts";

/**
 * Reads echoes of messages that are the same on all connections. It compares the first message, or
 * all, and counts the bytes of the others.
 */
export class EchoReader implements AnswerReader {
  /** Whether bytes are still compared. */
  looksAtBytes = true;
  /** Bytes that were given to the connection. More than these must not come back. */
  sentBytes = 0;
  readonly #payload: Payload;
  readonly #compareAll: boolean;
  readonly #onAnswer: OnAnswer;
  readonly #first: number;
  /** The message that comes next or has begun, and how long it is. */
  #index: number;
  #length: number;
  /** How many of its bytes have come. */
  #offset = 0;
  #receivedBytes = 0;

  /** @param first The number of the first message that this connection sends. */
  constructor(payload: Payload, first: number, compareAll: boolean, onAnswer: OnAnswer) {
    this.#payload = payload;
    this.#compareAll = compareAll;
    this.#onAnswer = onAnswer;
    this.#first = this.#index = first;
    this.#length = payload.lengthOf(first);
  }

  /** Compares and counts. */
  take(buffer: Uint8Array, count: number): void {
    const surplus = Math.max(0, this.#receivedBytes + count - this.sentBytes);
    const valid = count - surplus;
    if (this.looksAtBytes) this.#compare(buffer.subarray(0, valid));
    this.#receivedBytes += valid;
    const offset = this.#offset + valid;
    if (offset < this.#length) this.#offset = offset;
    else if (this.#payload.sameLength) this.#tellAll(offset);
    else this.#tellEach(offset);
    if (this.#index > this.#first && !this.#compareAll) this.looksAtBytes = false;
    if (surplus > 0) throw surplusError(surplus);
  }

  /** That is never right. */
  closed(): boolean {
    return false;
  }

  /** Messages of the same length are told together. */
  #tellAll(offset: number): void {
    const length = this.#length;
    const count = Math.floor(offset / length);
    this.#offset = offset - count * length;
    this.#index += count;
    this.#onAnswer(count, count * length);
  }

  #tellEach(offset: number): void {
    while (offset >= this.#length) {
      offset -= this.#length;
      this.#onAnswer(1, this.#length);
      this.#length = this.#payload.lengthOf(++this.#index);
    }
    this.#offset = offset;
  }

  #compare(bytes: Uint8Array): void {
    const difference = this.#payload.firstDifference(this.#index, this.#offset, bytes);
    if (difference < 0) return;
    const sent = this.#payload.byteAt(this.#index, this.#offset + difference);
    const at = this.#receivedBytes + difference;
    if (at === 0 && startsTlsRecord(bytes)) throw new LoadError("wrong", SPEAKS_TLS);
    throw new LoadError("wrong", `the echo ${describeDifference(at, bytes[difference]!, sent)}`);
  }
}

/** The error of bytes that came without being due. */
export function surplusError(bytes: number): LoadError {
  return new LoadError(
    "wrong",
    `the server sent ${bytes === 1 ? "1 byte" : `${bytes} bytes`} too many`,
  );
}
