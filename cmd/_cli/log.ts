import { type SyncSink, writeFully } from "./host.ts";
import type { LiveLine } from "./live_line.ts";
import type { Style } from "./style.ts";
import { escapeForTerminal } from "./terminal_text.ts";

/** How much to print: with `-q`, with neither flag, with `-v`. */
export type LogLevel = "quiet" | "normal" | "verbose";

/**
 * Messages for people, on stderr, a line each. They are written at once and in order, so the last
 * one is there even if the program is killed right after.
 */
export class Log {
  readonly level: LogLevel;
  readonly #sink: SyncSink;
  readonly #style: Style;
  readonly #live: LiveLine | undefined;

  constructor(sink: SyncSink, level: LogLevel, style: Style, live?: LiveLine) {
    this.#sink = sink;
    this.level = level;
    this.#style = style;
    this.#live = live;
  }

  /** What went wrong; always written. */
  error(text: string): void {
    this.#write(this.#style.red("error:"), text);
  }

  /** Something is not as it should be, but the work goes on; always written. */
  warn(text: string): void {
    this.#write(this.#style.yellow("warning:"), text);
  }

  /** What users want to know by default; silent with `-q`. */
  info(text: string): void {
    if (this.level !== "quiet") this.#write("", text);
  }

  /** What only `-v` shows. */
  detail(text: string): void {
    if (this.level === "verbose") this.#write("", text);
  }

  #write(label: string, text: string): void {
    const safe = this.#sink.isTerminal() ? escapeForTerminal(text) : text;
    this.#live?.hide();
    writeFully(this.#sink, `${label}${label === "" ? "" : " "}${safe}\n`);
    this.#live?.redraw();
  }
}
