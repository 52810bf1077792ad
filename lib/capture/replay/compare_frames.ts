import { firstDifference } from "../../base/first_difference.ts";
import { inSteps } from "../../base/in_steps.ts";
import type { Frame } from "../../frame/mod.ts";
import { nestingProblem } from "../../frame/header_nesting.ts";

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

/** A larger content, or one with more values or a deeper one, counts as bytes: parsing it takes long. */
const MAX_JSON_BYTES = 1_048_576;
const MAX_VALUES = 100_000;
const MAX_DEPTH = 100;

/** Values to compare before looking at the clock. */
const PART = 50;

/**
 * Compares an answer with the recorded one: its header, and its content, which counts as the value
 * that it is if it is JSON of at most 1 MiB, with at most 100,000 values that nest at most 100 deep.
 * It is done in steps: others are served in between.
 *
 * @param ignored Paths that may differ: names of fields joined by dots, without the indexes of lists.
 */
export async function compareFrames(
  recorded: Frame,
  came: Frame,
  ignored: ReadonlySet<string>,
): Promise<AnswerDifference[]> {
  const differences: AnswerDifference[] = [];
  const told = (path: readonly string[], a: unknown, b: unknown) => {
    differences.push({ path: path.join("."), recorded: show(a), came: show(b) });
  };
  const { "content-length": _, ...header } = recorded.header;
  const { "content-length": _other, ...otherHeader } = came.header;
  const pairs: Pair[] = [{ recorded: header, came: otherHeader, path: ["header"] }];
  const [value, other] = [jsonOf(recorded), jsonOf(came)];
  const isJson = value !== undefined && other !== undefined;
  if (isJson) pairs.unshift({ recorded: value.json, came: other.json, path: [] });
  await inSteps(() => {
    for (let i = 0; i < PART; i++) {
      const pair = pairs.pop();
      if (pair === undefined || differences.length >= MAX_DIFFERENCES) return true;
      compareValues(pair, pairs, ignored, told);
    }
    return false;
  });
  if (!isJson && !sameBytes(recorded.content, came.content) && !ignored.has("content")) {
    told(["content"], shownContent(recorded), shownContent(came));
  }
  return differences;
}

/** Two values that are to be the same. */
interface Pair {
  readonly recorded: unknown;
  readonly came: unknown;
  readonly path: readonly string[];
}

type Tell = (path: readonly string[], recorded: unknown, came: unknown) => void;

/** Compares two values, or puts those in them on top of `pairs`, the first one uppermost. */
function compareValues(
  { recorded, came, path }: Pair,
  pairs: Pair[],
  ignored: ReadonlySet<string>,
  tell: Tell,
): void {
  if (isIgnored(path, ignored)) return;
  if (Array.isArray(recorded) && Array.isArray(came)) {
    for (let i = Math.max(recorded.length, came.length) - 1; i >= 0; i--) {
      pairs.push({ recorded: recorded[i], came: came[i], path: [...path, String(i)] });
    }
  } else if (isObject(recorded) && isObject(came)) {
    const names = new Set([...Object.keys(recorded), ...Object.keys(came)]);
    for (const name of [...names].reverse()) {
      pairs.push({ recorded: own(recorded, name), came: own(came, name), path: [...path, name] });
    }
  } else if (JSON.stringify(recorded) !== JSON.stringify(came)) {
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
  const { header, content } = frame;
  if (header["content-type"] !== "text/json" || content.length === 0) return undefined;
  if (content.length > MAX_JSON_BYTES) return undefined;
  try {
    if (nestingProblem(frame.text(), MAX_DEPTH, MAX_VALUES)) return undefined;
    return { json: frame.json() };
  } catch {
    return undefined;
  }
}

function shownContent(frame: Frame): string {
  const { header, content } = frame;
  const encoding = header["content-encoding"];
  // Of a large one no more is decoded than is shown: at most four bytes are a character.
  const isLarge = content.length > MAX_JSON_BYTES;
  if (isLarge && encoding === "utf-8") {
    return utf8.decode(content.subarray(0, SHOWN_CHARACTERS * 4));
  }
  try {
    if (!isLarge && encoding !== "binary") return frame.text();
  } catch {
    // It is no text.
  }
  return content.subarray(0, SHOWN_CHARACTERS / 2).toHex();
}

const utf8 = new TextDecoder();

function show(value: unknown): string | undefined {
  const text = JSON.stringify(value);
  if (text === undefined || text.length <= SHOWN_CHARACTERS) return text;
  return `${text.slice(0, SHOWN_CHARACTERS)}…`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && firstDifference(a, b) < 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(fields: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
