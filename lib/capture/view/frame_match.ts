import { checkGiven } from "../../base/option_kinds.ts";
import type { FrameEvent } from "../frames/frame_watch.ts";

/** Whether a frame is one of those that are wanted. */
export type FrameMatch = (event: FrameEvent) => boolean;

/** A text that is no condition on frames. */
export class FrameMatchError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "FrameMatchError";
  /** Always `bad-match`. */
  readonly code = "bad-match";
}

/**
 * Reads conditions on frames: `op=pub topic=orders.>`. All of them must hold. A condition names a
 * field of the header, or `action`, which its answer has too, `kind`, `direction` (`up` or `down`) or
 * `connection`. `!=` is true where `=` is not. `*` stands for any characters; in `topic` it stands
 * for one token, and a final `>` for one or more.
 *
 * @example
 * ```ts
 * import { parseFrameMatch, watchFrames } from "@socktool/socktool/capture";
 * import { encodeFrame } from "@socktool/socktool/frame";
 * import { assertEquals } from "@std/assert";
 *
 * const matches = parseFrameMatch("op=pub topic=orders.*");
 * const topics: unknown[] = [];
 * const traffic = watchFrames({
 *   frame: (event) => matches(event) && topics.push(event.frame.header["topic"]),
 * });
 * const ends = { client: "127.0.0.1:50000", server: "127.0.0.1:5635" };
 * const connection = { ...ends, id: 1, fromStart: true, openedUs: 0 };
 * traffic.opened(connection, 0);
 * for (const topic of ["orders.new", "orders", "stock.new"]) {
 *   traffic.bytes(connection, "up", encodeFrame({ header: { op: "pub", topic } }), 10);
 * }
 * assertEquals(topics, ["orders.new"]);
 * ```
 *
 * @throws {FrameMatchError} if there is none, or one has no `=`.
 * @throws {TypeError} if it is no string.
 */
export function parseFrameMatch(text: string): FrameMatch {
  checkGiven("text", text, "text");
  const conditions = text.split(/\s+/).filter((word) => word !== "").map(readCondition);
  if (conditions.length === 0) {
    throw new FrameMatchError("Cannot match frames by an empty text: write op=pub topic=orders.>");
  }
  return (event) => conditions.every((holds) => holds(event));
}

function readCondition(word: string): FrameMatch {
  const [, name, not, value] = /^([^=!]+)(!?)=(.*)$/s.exec(word) ?? [];
  if (name === undefined || value === undefined) {
    throw new FrameMatchError(`Cannot match frames by ${JSON.stringify(word)}: write FIELD=VALUE`);
  }
  const pattern = patternOf(name, value);
  const holds = (event: FrameEvent) => valuesOf(event, name).some((text) => pattern.test(text));
  return not === "!" ? (event) => !holds(event) : holds;
}

function valuesOf(event: FrameEvent, name: string): string[] {
  const { header } = event.frame;
  if (Object.hasOwn(header, name)) {
    const value = header[name];
    return [typeof value === "string" ? value : JSON.stringify(value)];
  }
  switch (name) {
    case "kind":
      return [event.kind];
    case "action":
      return event.answers ? [event.kind, event.answers.kind] : [event.kind];
    case "direction":
      return [event.direction];
    case "connection":
      return [String(event.connection.id)];
    default:
      return [];
  }
}

function patternOf(name: string, value: string): RegExp {
  const any = name === "topic" ? "[^.]+" : ".*";
  const rest = name === "topic" && value.endsWith(".>") ? ".+" : undefined;
  const body = (rest === undefined ? value : value.slice(0, -1))
    .split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join(any);
  if (name === "topic" && value === ">") return /^.+$/s;
  return new RegExp(`^${body}${rest ?? ""}$`, "s");
}
