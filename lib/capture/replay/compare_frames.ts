import type { Frame } from "../../frame/mod.ts";

/** Where an answer differs from the recorded one. */
export interface AnswerDifference {
  /** Which value: `hits.0.score`, `header.op`, or `content`. */
  readonly path: string;
  /** The recorded value as JSON, cut; `undefined` if there was none. */
  readonly recorded: string | undefined;
  /** The value that came. */
  readonly came: string | undefined;
}

/** Values are shown up to this length. */
const SHOWN_CHARACTERS = 80;

/** More differences of one answer are not told. */
const MAX_DIFFERENCES = 10;

/**
 * Compares an answer with the recorded one: its header, and its content, which counts as the value
 * that it is if it is JSON.
 *
 * @param ignored Paths that may differ: names of fields joined by dots, without the indexes of lists.
 */
export function compareFrames(
  recorded: Frame,
  came: Frame,
  ignored: ReadonlySet<string>,
): AnswerDifference[] {
  const differences: AnswerDifference[] = [];
  const told = (path: readonly string[], a: unknown, b: unknown) => {
    if (differences.length >= MAX_DIFFERENCES) return;
    differences.push({ path: path.join("."), recorded: show(a), came: show(b) });
  };
  const { "content-length": _, ...header } = recorded.header;
  const { "content-length": _other, ...otherHeader } = came.header;
  compareValues(header, otherHeader, ["header"], ignored, told);
  const [value, other] = [jsonOf(recorded), jsonOf(came)];
  if (value !== undefined && other !== undefined) {
    compareValues(value.json, other.json, [], ignored, told);
  } else if (!sameBytes(recorded.content, came.content) && !ignored.has("content")) {
    told(["content"], shownContent(recorded), shownContent(came));
  }
  return differences;
}

type Tell = (path: readonly string[], recorded: unknown, came: unknown) => void;

function compareValues(
  recorded: unknown,
  came: unknown,
  path: readonly string[],
  ignored: ReadonlySet<string>,
  tell: Tell,
): void {
  if (isIgnored(path, ignored)) return;
  if (Array.isArray(recorded) && Array.isArray(came)) {
    for (let i = 0; i < Math.max(recorded.length, came.length); i++) {
      compareValues(recorded[i], came[i], [...path, String(i)], ignored, tell);
    }
    return;
  }
  if (isObject(recorded) && isObject(came)) {
    for (const name of new Set([...Object.keys(recorded), ...Object.keys(came)])) {
      compareValues(own(recorded, name), own(came, name), [...path, name], ignored, tell);
    }
    return;
  }
  if (JSON.stringify(recorded) !== JSON.stringify(came)) {
    tell(path.length === 0 ? ["content"] : path, recorded, came);
  }
}

/** A path is ignored with indexes or without; a field of the header also by its name alone. */
function isIgnored(path: readonly string[], ignored: ReadonlySet<string>): boolean {
  if (path.length === 0 || ignored.size === 0) return false;
  const whole = path.join(".");
  const named = path.filter((part) => !/^\d+$/.test(part)).join(".");
  const bare = path[0] === "header" ? path.slice(1).join(".") : named;
  return ignored.has(whole) || ignored.has(named) || ignored.has(bare);
}

function jsonOf(frame: Frame): { readonly json: unknown } | undefined {
  if (frame.header["content-type"] !== "text/json" || frame.content.length === 0) return undefined;
  try {
    return { json: frame.json() };
  } catch {
    return undefined;
  }
}

function shownContent(frame: Frame): string {
  try {
    if (frame.header["content-encoding"] !== "binary") return frame.text();
  } catch {
    // It is no text.
  }
  return frame.content.subarray(0, SHOWN_CHARACTERS / 2).toHex();
}

function show(value: unknown): string | undefined {
  const text = JSON.stringify(value);
  if (text === undefined || text.length <= SHOWN_CHARACTERS) return text;
  return `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
