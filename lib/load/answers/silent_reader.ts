import type { AnswerReader, OnAnswer } from "./answer_reader.ts";

/** For a service that answers nothing: a message is done when the connection has taken it. */
export class SilentReader implements AnswerReader {
  /** What comes is dropped. */
  readonly looksAtBytes = false;
  /** Bytes that were given to the connection. */
  sentBytes = 0;
  readonly #onAnswer: OnAnswer;

  /** @param onAnswer Is told of each message. */
  constructor(onAnswer: OnAnswer) {
    this.#onAnswer = onAnswer;
  }

  /** Does nothing. */
  take(): void {}

  /** The messages are done. */
  taken(count: number, bytes: number): void {
    this.#onAnswer(count, bytes);
  }

  /** That is never right. */
  closed(): boolean {
    return false;
  }
}
