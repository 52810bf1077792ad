import { checkKind, isBytes } from "../../base/option_kinds.ts";
import { shownValue } from "../../base/value_kind.ts";

/**
 * How the answers of a service end:
 *
 * - `echo`: an answer is the message itself, which is compared.
 * - `{ until }`: with these bytes, such as a line feed.
 * - `{ bytes }`: after a fixed number of bytes.
 * - `{ length }`: after as many bytes as a number at its beginning says.
 * - `close`: when the server closes the connection. Each message has a connection of its own, and
 *   the time to make it counts.
 * - `none`: there is none. A message counts as answered when the connection has taken it.
 */
export type AnswerFormat = "echo" | "close" | "none" | AnswerUntil | AnswerBytes | AnswerLength;

/** Answers that end with certain bytes. */
export interface AnswerUntil {
  /** The bytes; a text stands for its UTF-8. */
  readonly until: string | Uint8Array;
}

/** Answers that all have the same size. */
export interface AnswerBytes {
  /** How many bytes. */
  readonly bytes: number;
}

/** Answers that begin with a number that tells how long they are. */
export interface AnswerLength {
  /** How the number is written: its bits, and its byte order. */
  readonly length: LengthType;
  /** Whether the number counts its own bytes too. @default {false} */
  readonly inclusive?: boolean | undefined;
}

/** How a length is written: an unsigned number of 8, 16 or 32 bits, little- or big-endian. */
export type LengthType = "u8" | "u16le" | "u16be" | "u32le" | "u32be";

/** The bytes of each length type. */
export const LENGTH_BYTES: Readonly<Record<LengthType, number>> = {
  u8: 1,
  u16le: 2,
  u16be: 2,
  u32le: 4,
  u32be: 4,
};

/**
 * Checks a format that a program gave.
 *
 * @throws {TypeError | RangeError} if it is none.
 */
export function checkAnswerFormat(format: AnswerFormat): void {
  const refusal = (problem: string) => `Cannot use ${shownValue(format)} as answer: ${problem}`;
  const refuse = (problem: string) => new RangeError(refusal(problem));
  if (format === "echo" || format === "close" || format === "none") return;
  if (typeof format !== "object" || format === null) {
    throw refuse('give "echo", "close", "none", or how an answer ends');
  }
  if ("until" in format) {
    if (typeof format.until !== "string" && !isBytes(format.until)) {
      throw new TypeError(refusal("give a string or a Uint8Array to end with"));
    }
    if (format.until.length === 0) throw refuse("give at least one byte to end with");
  } else if ("bytes" in format) {
    if (!Number.isSafeInteger(format.bytes) || format.bytes < 1) {
      throw refuse("give a whole number of bytes from 1");
    }
  } else {
    if (!Object.hasOwn(LENGTH_BYTES, format.length)) {
      throw refuse(`the length is one of ${Object.keys(LENGTH_BYTES).join(", ")}`);
    }
    checkKind("inclusive", format.inclusive, "flag");
  }
}
