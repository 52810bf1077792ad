import { Deque } from "../../base/deque.ts";
import { describeDifference, firstDifference } from "../../base/first_difference.ts";
import { LoadError } from "../load_error.ts";
import type { AnswerReader, OnAnswer } from "./answer_reader.ts";
import { surplusError } from "./echo_reader.ts";

/** Reads echoes of messages that all differ: what was sent is kept until it has come back. */
export class RenderedEchoReader implements AnswerReader {
  /** Every byte is compared. */
  readonly looksAtBytes = true;
  /** Bytes that were given to the connection. */
  sentBytes = 0;
  readonly #onAnswer: OnAnswer;
  readonly #sent = new Deque<Uint8Array>();
  /** How many bytes of the first of them have come. */
  #offset = 0;
  #receivedBytes = 0;

  /** Nothing is due yet. */
  constructor(onAnswer: OnAnswer) {
    this.#onAnswer = onAnswer;
  }

  /** A message is about to be sent, and its echo is due after those before it. */
  expect(message: Uint8Array): void {
    this.#sent.push(message);
  }

  /** Compares all of it. */
  take(buffer: Uint8Array, count: number): void {
    for (let at = 0; at < count;) {
      const message = this.#sent.peek();
      if (!message) throw surplusError(count - at);
      const part = Math.min(count - at, message.length - this.#offset);
      const came = buffer.subarray(at, at + part);
      const difference = firstDifference(
        came,
        message.subarray(this.#offset, this.#offset + part),
      );
      if (difference >= 0) {
        const what = describeDifference(
          this.#receivedBytes + difference,
          came[difference]!,
          message[this.#offset + difference]!,
        );
        throw new LoadError("wrong", `the echo ${what}`);
      }
      at += part;
      this.#receivedBytes += part;
      this.#offset += part;
      if (this.#offset < message.length) continue;
      this.#offset = 0;
      this.#sent.shift();
      this.#onAnswer(1, message.length);
    }
  }

  /** That is never right. */
  closed(): boolean {
    return false;
  }
}
