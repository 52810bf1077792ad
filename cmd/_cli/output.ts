import { Condition } from "../../lib/base/condition.ts";
import type { Sink } from "./host.ts";
import { escapeForTerminal } from "./terminal_text.ts";

/**
 * Above this, the writing methods ask their caller to wait. What a pipe holds: with much more, `sub`
 * would look as if it had stopped while a slow program behind it reads that.
 */
const HIGH_WATER_BYTES = 65_536;

/** The pause before the next attempt to write to a sink that is full. */
const RETRY_MS = 2;

/** What happens around an {@linkcode Output}. */
export interface OutputOptions {
  /** Called before every write to a terminal, to take a live line out of the way. */
  readonly beforeWrite?: () => void;
  /** Called once when writing has failed for good: the reader, such as `head`, has gone. */
  readonly onClosed?: (error: unknown) => void;
  /** How wide the terminal is, if that is known. */
  readonly columns?: () => number | undefined;
}

/**
 * stdout, buffered. What is written in one turn of the event loop goes out together: at the end of
 * that turn or, if an earlier write is under way, after it. So a single line shows at once, and
 * thousands of lines cost one system call.
 *
 * The writing methods do not block. When more than 64 KiB wait behind a write that is under way
 * they return a promise to wait for, else `undefined`. Nothing but memory limits a caller that ignores it.
 */
export class Output {
  /** Whether people read it directly. */
  readonly isTerminal: boolean;
  readonly #sink: Sink;
  readonly #options: OutputOptions;
  readonly #encoder = new TextEncoder();
  #text = "";
  #chunks: Uint8Array[] = [];
  /** Bytes in `#chunks` plus UTF-16 units in `#text`: near enough for a limit. */
  #pending = 0;
  #writing: Promise<void> | undefined;
  /** Resolves when what waits is being written. */
  readonly #room = new Condition();
  #failure: { readonly error: unknown } | undefined;

  constructor(sink: Sink, options: OutputOptions = {}) {
    this.#sink = sink;
    this.#options = options;
    this.isTerminal = sink.isTerminal();
  }

  /** About how many bytes wait behind a write that is under way. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** How many characters fit into a line; `Infinity` if it is no terminal. */
  get columns(): number {
    return this.isTerminal ? this.#options.columns?.() ?? 80 : Infinity;
  }

  /** Whether writing has failed for good; what is written since then is dropped. */
  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** Writes a line. */
  line(text: string): Promise<void> | undefined {
    this.#text += text;
    this.#text += "\n";
    this.#pending += text.length + 1;
    return this.#written();
  }

  /** Writes a text as it is. */
  text(text: string): Promise<void> | undefined {
    this.#text += text;
    this.#pending += text.length;
    return this.#written();
  }

  /** Writes a value as one line of JSON. */
  json(value: unknown): Promise<void> | undefined {
    const line = JSON.stringify(value);
    // JSON escapes the controls below U+0020 itself; for a terminal the others are escaped here.
    return this.line(this.isTerminal ? line.replace(UNSAFE_IN_JSON, jsonEscape) : line);
  }

  /** Writes bytes as they are. They are copied. */
  bytes(bytes: Uint8Array): Promise<void> | undefined {
    this.#seal();
    this.#chunks.push(bytes.slice());
    this.#pending += bytes.length;
    return this.#written();
  }

  /** A text from a peer: escaped if this is a terminal, as it is otherwise. */
  safe(text: string): string {
    return this.isTerminal ? escapeForTerminal(text) : text;
  }

  /** Resolves when everything is written, or writing has failed for good. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #written(): Promise<void> | undefined {
    if (this.#failure !== undefined) {
      this.#drop();
      return undefined;
    }
    if (this.#pending > 0) this.#writing ??= this.#writeAll();
    if (this.#pending <= HIGH_WATER_BYTES) return undefined;
    return this.#room.wait();
  }

  /** Writes until nothing is waiting; everything that came during a write goes in the next. */
  async #writeAll(): Promise<void> {
    await undefined; // The rest of this turn's lines come first.
    while (this.#pending > 0) {
      this.#seal();
      const chunks = this.#chunks;
      this.#drop();
      if (this.isTerminal) this.#options.beforeWrite?.();
      try {
        for (const chunk of chunks) {
          for (let at = 0; at < chunk.length;) at += await this.#write(chunk.subarray(at));
        }
      } catch (error) {
        this.#failure = { error };
        this.#drop();
        this.#options.onClosed?.(error);
      }
    }
    // No await after the loop's last check: the next line has to find this unset.
    this.#writing = undefined;
  }

  /** A terminal or pipe that another process made non-blocking refuses writes while it is full. */
  async #write(bytes: Uint8Array): Promise<number> {
    try {
      return await this.#sink.write(bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      return 0;
    }
  }

  /** Turns the text so far into a chunk, so that bytes can follow it. */
  #seal(): void {
    if (this.#text === "") return;
    this.#chunks.push(this.#encoder.encode(this.#text));
    this.#text = "";
  }

  #drop(): void {
    this.#text = "";
    this.#chunks = [];
    this.#pending = 0;
    this.#room.notify();
  }
}

const UNSAFE_IN_JSON = /[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function jsonEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Writes a text to stdout and waits until it is there, or until its reader has gone. */
export async function printText(stdout: Sink, text: string): Promise<void> {
  const out = new Output(stdout);
  out.text(text);
  await out.flush();
}

/** Milliseconds as the seconds of a JSON field, to the microsecond. */
export function jsonSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1e6;
}
