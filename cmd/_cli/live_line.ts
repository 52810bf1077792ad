import { type SyncSink, writeFully } from "./host.ts";
import { escapeForTerminal } from "./terminal_text.ts";

/** More often than this is a flicker, not a reading. */
const REDRAW_MS = 100;

/**
 * One line on a terminal's stderr that is written over and over: progress, live figures. Where
 * stderr is no terminal it never writes anything.
 */
export class LiveLine {
  /** Whether anything shows; who has costly figures to gather can ask first. */
  readonly enabled: boolean;
  readonly #sink: SyncSink;
  readonly #columns: () => number | undefined;
  readonly #now: () => number;
  #shown = "";
  #drawnAt = -Infinity;

  /**
   * @param wanted Whether the user wants it; it is off without a terminal anyway.
   * @param now A clock in milliseconds.
   */
  constructor(
    sink: SyncSink,
    wanted: boolean,
    columns: () => number | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#now = now;
    this.#sink = sink;
    this.#columns = columns;
    this.enabled = wanted && sink.isTerminal();
  }

  /**
   * Shows a text in place of the one before. Calls that come within a tenth of a second of the
   * last drawing do nothing, so a loop may call it every time around.
   */
  show(text: string | (() => string)): void {
    if (!this.enabled) return;
    const time = this.#now();
    if (time - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = time;
    this.#shown = typeof text === "string" ? text : text();
    this.redraw();
  }

  /** Takes the line away for good. */
  clear(): void {
    this.hide();
    this.#shown = "";
    this.#drawnAt = -Infinity;
  }

  /** Takes the line off the screen, so that other lines can be written; `redraw` brings it back. */
  hide(): void {
    if (this.#shown !== "") writeFully(this.#sink, "\r\x1b[2K");
  }

  /** Draws the line again after other lines. */
  redraw(): void {
    if (this.#shown === "") return;
    const width = (this.#columns() ?? 80) - 1;
    const line = [...escapeForTerminal(this.#shown.replaceAll("\n", " "))].slice(0, width).join("");
    writeFully(this.#sink, `\r\x1b[2K${line}`);
  }
}
