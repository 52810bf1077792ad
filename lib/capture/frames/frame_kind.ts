import { Frame } from "../../frame/mod.ts";
import type { SeenFrame } from "./frame_scanner.ts";

/** What a frame is for, as its header and content say. */
export interface FrameKind {
  /** Its `op`, the action of a request, `answer`, or else its content type. */
  readonly kind: string;
  /** Whether it is a frame of publish/subscribe. */
  readonly isControl: boolean;
  /** The code of an error that it tells. */
  readonly error: string | undefined;
}

/** Larger contents are not parsed: that would take milliseconds. */
const PARSED_BYTES = 65_536;

/** The length at which a name is cut, in characters. */
const MAX_NAME = 64;

/**
 * Finds out what a frame is for. The content of a `text/json` frame without `op` is parsed, if all of
 * it is there and it has at most 64 KiB.
 */
export function kindOf(frame: SeenFrame): FrameKind {
  const { header } = frame;
  const op = ownText(header, "op");
  if (op !== undefined) {
    const error = op === "error" ? ownText(header, "code") ?? "error" : undefined;
    return { kind: op.slice(0, MAX_NAME), isControl: true, error };
  }
  const content = header["content-type"] === "text/json" ? jsonOf(frame) : undefined;
  const action = content && ownText(content, "action");
  if (action !== undefined) {
    return { kind: action.slice(0, MAX_NAME), isControl: false, error: undefined };
  }
  if (content && Object.hasOwn(content, "result")) {
    const told = content["error"];
    const error = isObject(told) ? ownText(told, "code") ?? "error" : undefined;
    return { kind: "answer", isControl: false, error };
  }
  return { kind: header["content-type"].slice(0, MAX_NAME), isControl: false, error: undefined };
}

type Fields = Readonly<Record<string, unknown>>;

function jsonOf({ header, content, isWhole }: SeenFrame): Fields | undefined {
  if (!isWhole || content.length > PARSED_BYTES) return undefined;
  try {
    const value = new Frame(header, content, 0, 0, content.length).json();
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function ownText(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
