import type {
  ConnectionTraffic,
  Ending,
  FrameEvent,
  FrameMatch,
  FrameObserver,
  SeenConnection,
  StreamPlace,
} from "../../lib/capture/mod.ts";
import { viewOf } from "../../lib/capture/mod.ts";
import { type Context, escapeForTerminal, formatBytes, formatDuration } from "../_cli/mod.ts";
import { utf8Text } from "../_cli/utf8_text.ts";
import { LossyOutput } from "../_cli/lossy_output.ts";

/** What is printed of frames, and how. */
export interface FrameReportOptions {
  readonly json: boolean;
  /** Whether contents are printed whole. */
  readonly whole: boolean;
  /** How many bytes of a content are printed in hex, instead of its text. */
  readonly hexBytes?: number | undefined;
  /** Whether credentials are printed. */
  readonly secrets: boolean;
  /** Which frames are printed. If the list is empty, all of them. */
  readonly matches: readonly FrameMatch[];
  /** Whether lines are left out while the output does not keep up. @default {false} */
  readonly live?: boolean;
}

/** Characters of a content in a line, unless it is printed whole. */
const SHOWN_CHARACTERS = 120;

/** Of a content that is not printed whole, this much is looked at. */
const LOOKED_AT_BYTES = 1_024;

/** Bytes that are shown in hex of a content that is no text. */
const SHOWN_HEX_BYTES = 24;

/** Prints a line, or an object, for each frame, and for what is wrong with a stream. */
export class FrameReport implements FrameObserver {
  readonly #context: Context;
  readonly #options: FrameReportOptions;
  #startUs: number | undefined;
  #full: Promise<void> | undefined;
  /** Where lines are left out; `undefined` where the capture waits for the output. */
  readonly #lossy: LossyOutput | undefined;

  constructor(context: Context, options: FrameReportOptions) {
    this.#context = context;
    this.#options = options;
    if (options.live) this.#lossy = new LossyOutput(context.out, (count) => this.#leftOut(count));
  }

  /** A promise to wait for while much waits to be printed. */
  room(): Promise<void> | undefined {
    const full = this.#full;
    this.#full = undefined;
    return full;
  }

  opened({ openedUs }: SeenConnection): void {
    this.#startUs ??= openedUs;
  }

  frame(event: FrameEvent): void {
    const { matches } = this.#options;
    if (matches.length > 0 && !matches.some((match) => match(event))) return;
    // Making a line takes longer than leaving it out.
    if (this.#lossy?.leavesOut()) return;
    if (this.#options.json) this.#print(this.#frameObject(event));
    else this.#print(this.#frameLine(event));
  }

  broken(error: { readonly code: string; readonly message: string }, place: StreamPlace): void {
    const { code, message } = error;
    this.#problem("broken", `${code}: ${message}`, place, { code, message });
  }

  skipped(count: number, reason: string, place: StreamPlace): void {
    this.#problem("skipped", `${formatBytes(count)} that are no frame: ${reason}`, place, {
      bytes: count,
      reason,
    });
  }

  gap(count: number, place: StreamPlace): void {
    this.#problem("gap", `${formatBytes(count)} are missing in the capture`, place, {
      bytes: count,
    });
  }

  /** Prints bytes as they are. */
  bytes(bytes: Uint8Array, { connection, direction, offset, timeUs }: StreamPlace): void {
    const text = utf8Text(bytes);
    if (this.#options.json) {
      this.#print({
        type: "bytes",
        connection: connection.id,
        direction,
        offset,
        time_us: timeUs,
        bytes: bytes.length,
        ...(text !== undefined ? { text } : { base64: bytes.toBase64() }),
      });
      return;
    }
    const { outStyle } = this.#context;
    const head = `#${connection.id} ${direction === "up" ? ">" : "<"} ${formatBytes(bytes.length)}`;
    const start = `${this.#seconds(timeUs)} ${" ".repeat(9)} `;
    const colour = direction === "up" ? outStyle.cyan : outStyle.green;
    const content = this.#shown(text, bytes, bytes.length);
    this.#print(`${outStyle.dim(start)}${colour(head)}${content}`);
  }

  /** Prints a connection: its peers, what went over it, and how it ended. */
  connection(
    { id, client, server, openedUs }: SeenConnection,
    how: Ending,
    timeUs: number,
    { bytes, frames, missingBytes, unanswered }: ConnectionTraffic,
  ): void {
    if (this.#options.json) {
      this.#print({
        type: "connection",
        connection: id,
        client,
        server,
        opened_us: openedUs,
        duration_s: (timeUs - openedUs) / 1e6,
        ended: how,
        bytes,
        frames,
        missing_bytes: missingBytes,
        unanswered,
      });
      return;
    }
    const missing = missingBytes.up + missingBytes.down;
    this.#print(
      `#${id} ${client} > ${server}: ${frames.up} frames (${formatBytes(bytes.up)}) up, ` +
        `${frames.down} (${formatBytes(bytes.down)}) down` +
        `${unanswered > 0 ? `, ${unanswered} unanswered` : ""}` +
        `${missing > 0 ? `, ${formatBytes(missing)} missing` : ""}, ` +
        `${ENDED[how]} after ${formatDuration((timeUs - openedUs) / 1_000)}`,
    );
  }

  #frameLine(event: FrameEvent): string {
    const { direction, kind, answers, frame, error } = event;
    const { outStyle } = this.#context;
    const { fields, contentType, contentBytes, text, content } = viewOf(
      this.#options.whole || this.#options.hexBytes !== undefined ? event : headOf(event),
      this.#options,
    );
    const { op: _, ...shown } = fields;
    const head = [`#${event.connection.id}`, direction === "up" ? ">" : "<", kind];
    for (const [name, value] of Object.entries(shown)) {
      head.push(`${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    }
    const took = answers ? `+${formatDuration(answers.latencyMs)}` : "";
    const start = `${this.#seconds(frame.timeUs)} ${took.padStart(9)} `;
    const missing = frame.missingBytes > 0 ? ` (${formatBytes(frame.missingBytes)} missing)` : "";
    const named = kind === contentType ? "" : ` ${contentType}`;
    const size = contentBytes === 0 ? "" : `${named} ${formatBytes(contentBytes)}${missing}`;
    const line = escapeLine(`${this.#cutText(head.join(" "))}${size}`);
    const colour = error !== undefined
      ? outStyle.red
      : direction === "up"
      ? outStyle.cyan
      : outStyle.green;
    const what = contentBytes === 0 ? "" : this.#shown(text, content, contentBytes);
    return `${outStyle.dim(start)}${colour(line)}${what}`;
  }

  /** Bytes as text where they are that, else in hex; `total` says how many there are. */
  #shown(text: string | undefined, content: Uint8Array, total: number): string {
    const { hexBytes } = this.#options;
    if (text !== undefined && hexBytes === undefined) {
      const shown = this.#cutText(text);
      const more = shown.length === text.length && content.length < total ? "…" : "";
      return ` ${escapeLine(shown)}${more}`;
    }
    const wanted = hexBytes ?? (this.#options.whole ? content.length : SHOWN_HEX_BYTES);
    const hex = content.subarray(0, wanted).toHex().replace(/..(?=.)/g, "$& ");
    return ` ${hex}${Math.min(wanted, content.length) < total ? " …" : ""}`;
  }

  #cutText(text: string): string {
    const shown = this.#cut(text);
    return shown.length < text.length ? `${shown}…` : shown;
  }

  #cut(text: string): string {
    if (this.#options.whole || text.length <= SHOWN_CHARACTERS) return text;
    // A pair of surrogates is one character.
    return text.slice(0, SHOWN_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
  }

  #frameObject(event: FrameEvent): object {
    const { direction, kind, answers, frame, error, connection } = event;
    const { contentType, contentEncoding, contentBytes, fields, text, content } = viewOf(
      event,
      this.#options,
    );
    return {
      type: "frame",
      connection: connection.id,
      direction,
      time_us: frame.timeUs,
      offset: frame.offset,
      bytes: frame.bytes,
      kind,
      header: {
        byteorder: frame.header.byteorder,
        "content-type": contentType,
        "content-encoding": contentEncoding,
        "content-length": contentBytes,
        ...fields,
      },
      ...(text !== undefined ? { text } : contentBytes > 0 ? { base64: content.toBase64() } : {}),
      ...(content.length < contentBytes ? { cut: true } : {}),
      ...(frame.missingBytes > 0 ? { missing_bytes: frame.missingBytes } : {}),
      ...(answers ? { answers: answers.kind, latency_ms: answers.latencyMs } : {}),
      ...(error !== undefined ? { error } : {}),
    };
  }

  #problem(type: string, text: string, place: StreamPlace, fields: object): void {
    const { connection, direction, offset, timeUs } = place;
    if (this.#options.json) {
      this.#print({
        type,
        connection: connection.id,
        direction,
        offset,
        time_us: timeUs,
        ...fields,
      });
      return;
    }
    const { outStyle } = this.#context;
    const line = escapeLine(`#${connection.id} ${direction === "up" ? ">" : "<"} ${type}: ${text}`);
    const start = `${this.#seconds(timeUs)} ${" ".repeat(9)} `;
    this.#print(`${outStyle.dim(start)}${outStyle.yellow(line)} (at byte ${offset})`);
  }

  #seconds(timeUs: number): string {
    this.#startUs ??= timeUs;
    return ((timeUs - this.#startUs) / 1e6).toFixed(6).padStart(11);
  }

  #print(what: string | object): void {
    if (this.#lossy) return this.#lossy.print(what);
    const { out } = this.#context;
    this.#full = typeof what === "string" ? out.line(what) : out.json(what);
  }

  #leftOut(count: number): string | object {
    if (this.#options.json) return { type: "left-out", count };
    return `(${count} lines left out: the output did not keep up)`;
  }
}

const ENDED: Readonly<Record<Ending, string>> = {
  closed: "closed",
  reset: "reset",
  replaced: "replaced by another connection",
  open: "open at the end",
};

/** A frame of whose content only the beginning is looked at, of which a line shows a part. */
function headOf(event: FrameEvent): FrameEvent {
  const { frame } = event;
  if (frame.content.length <= LOOKED_AT_BYTES) return event;
  const content = frame.content.subarray(0, LOOKED_AT_BYTES);
  return { ...event, frame: { ...frame, content, isWhole: false } };
}

/** A peer's text on one line, safe for a terminal also where it is read later. */
export function escapeLine(text: string): string {
  return escapeForTerminal(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
