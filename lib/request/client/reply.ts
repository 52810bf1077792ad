import { ContentError } from "../../frame/content.ts";
import { Frame } from "../../frame/frame.ts";
import { nestingProblem } from "../../frame/header_nesting.ts";

/** What an answer says that tells of a failure. */
export interface ReplyError {
  /** Which failure, such as `not-found`. */
  readonly code: string;
  /** What is wrong, for people. */
  readonly message: string;
}

/** To read, or to write, JSON that nests a million deep takes seconds. Less than this cannot. */
const DEEP_BYTES = 65_536;

/** How deep larger JSON may nest. */
const MAX_DEPTH = 1_000;

/** An answer. It owns its bytes. */
export class Reply extends Frame {
  /**
   * The content as JSON.
   *
   * @throws {ContentError} if it is not, or has more than 64 KiB and nests deeper than 1,000.
   */
  override json<T = unknown>(): T {
    if (this.end - this.contentStart > DEEP_BYTES) {
      const problem = nestingProblem(this.text(), MAX_DEPTH, Infinity);
      if (problem) throw new ContentError("bad-json", `The content cannot be used: ${problem}`);
    }
    return super.json();
  }

  /** Whether the answer tells of no failure. */
  get ok(): boolean {
    return this.error === undefined;
  }

  /**
   * The failure that the answer tells of: where it is `text/json`, an object whose `error` is an
   * object with a text `code`. `undefined` for any other answer. Read anew each time.
   */
  get error(): ReplyError | undefined {
    if (this.header["content-type"] !== "text/json" || !this.#mayTellError()) return undefined;
    let answer: unknown;
    try {
      answer = this.json();
    } catch {
      // Whoever reads the content as JSON is told what is wrong with it.
      return undefined;
    }
    const error = fieldOf(answer, "error");
    const code = fieldOf(error, "code");
    if (typeof code !== "string") return undefined;
    const message = fieldOf(error, "message");
    if (typeof message === "string") return { code, message };
    return { code, message: `The server answered with the error ${JSON.stringify(code)}` };
  }

  /** Answers that have no field `error` are not parsed: 0.1 µs for 200 bytes instead of 1 µs. */
  #mayTellError(): boolean {
    if (this.header["content-encoding"] !== "utf-8") return true;
    return hasErrorKey(this.buffer, this.contentStart, this.end);
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

/** As JSON spells it: nothing that makes JSON writes these letters as escapes. */
const KEY = new TextEncoder().encode('"error"');
const LAST = KEY.length - 1;

/** How far to go on where a byte stands at the place of the key's last one (Horspool's search). */
const STEPS = new Uint8Array(256).fill(KEY.length);
for (let i = 0; i < LAST; i++) STEPS[KEY[i]!] = LAST - i;

function hasErrorKey(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start + LAST; at < end;) {
    const byte = buffer[at]!;
    if (byte === KEY[LAST] && matches(buffer, at - LAST)) return true;
    at += STEPS[byte]!;
  }
  return false;
}

function matches(buffer: Uint8Array, start: number): boolean {
  for (let i = 0; i < LAST; i++) {
    if (buffer[start + i] !== KEY[i]) return false;
  }
  return true;
}
