import { type SyncSink, writeFully } from "./host.ts";
import { escapeForTerminal } from "./terminal_text.ts";

/** The least time between two drawings: what changes faster cannot be read. */
const REDRAW_MS = 100;

/**
 * One line on stderr that is redrawn in place, for progress and live figures. It writes nothing
 * unless stderr is a terminal.
 */
export class LiveLine {
  /** Whether anything is shown. Callers can ask before they gather costly figures. */
  readonly enabled: boolean;
  readonly #sink: SyncSink;
  readonly #columns: () => number | undefined;
  readonly #now: () => number;
  #shown = "";
  #drawnAt = -Infinity;

  /**
   * @param wanted Whether the user wants it; without a terminal it is off anyway.
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
   * Shows a text in place of the one before. Does nothing within a tenth of a second of the last
   * drawing, so a loop may call it in every round.
   */
  show(text: string | (() => string)): void {
    if (!this.enabled) return;
    const time = this.#now();
    if (time - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = time;
    this.#shown = typeof text === "string" ? text : text();
    this.redraw();
  }

  /** Removes the line. */
  clear(): void {
    this.hide();
    this.#shown = "";
    this.#drawnAt = -Infinity;
  }

  /** Takes the line off the screen, so that others can be written; `redraw` brings it back. */
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
