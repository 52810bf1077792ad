import { type SyncSink, writeFully } from "./host.ts";
import type { LiveLine } from "./live_line.ts";
import { escapeForTerminal, type Style } from "./terminal_text.ts";

/** How much to print: with `-q`, with neither flag, with `-v`. */
export type LogLevel = "quiet" | "normal" | "verbose";

/** Whether messages are text for people, or JSON objects for programs. */
export type LogFormat = "text" | "json";

/** What a message is about, for programs. */
export interface LogFields {
  /** The number of the connection. */
  readonly connection?: number | undefined;
  /** The code of an error. */
  readonly code?: string | undefined;
}

/**
 * Messages for people, on stderr, a line each. They are written at once and in order, so the last
 * one is there even if the program is killed right after. As JSON each is an object with `time`,
 * `level`, `message` and what it is about.
 */
export class Log {
  readonly level: LogLevel;
  /** What went wrong last. */
  lastError: { readonly message: string; readonly code?: string | undefined } | undefined;
  readonly #sink: SyncSink;
  readonly #style: Style;
  readonly #live: LiveLine | undefined;
  readonly #format: LogFormat;

  constructor(
    sink: SyncSink,
    level: LogLevel,
    style: Style,
    live?: LiveLine,
    format: LogFormat = "text",
  ) {
    this.#sink = sink;
    this.level = level;
    this.#style = style;
    this.#live = live;
    this.#format = format;
  }

  /** What went wrong; always written. */
  error(text: string, fields?: LogFields): void {
    this.lastError = { message: text, code: fields?.code };
    this.#write("error", text, fields);
  }

  /** Something is not as it should be, but the work goes on; always written. */
  warn(text: string, fields?: LogFields): void {
    this.#write("warn", text, fields);
  }

  /** What users want to know by default; silent with `-q`. */
  info(text: string, fields?: LogFields): void {
    if (this.level !== "quiet") this.#write("info", text, fields);
  }

  /** What only `-v` shows. */
  detail(text: string, fields?: LogFields): void {
    if (this.level === "verbose") this.#write("debug", text, fields);
  }

  #write(level: keyof typeof LABELS, text: string, fields: LogFields = {}): void {
    this.#live?.hide();
    writeFully(this.#sink, `${this.#line(level, text, fields)}\n`);
    this.#live?.redraw();
  }

  #line(level: keyof typeof LABELS, text: string, fields: LogFields): string {
    if (this.#format === "json") {
      return JSON.stringify(logObject(level, text, fields));
    }
    const safe = this.#sink.isTerminal() ? escapeForTerminal(text) : text;
    const label = LABELS[level](this.#style);
    return label === "" ? safe : `${label} ${safe}`;
  }
}

/** A message as it is written as JSON. */
export function logObject(
  level: keyof typeof LABELS,
  message: string,
  fields: LogFields = {},
): object {
  return { time: new Date().toISOString(), level, message, ...fields };
}

/** How a line of text begins. */
const LABELS = {
  error: (style: Style) => style.red("error:"),
  warn: (style: Style) => style.yellow("warning:"),
  info: () => "",
  debug: () => "",
};
