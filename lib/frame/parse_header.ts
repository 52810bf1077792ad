import { FrameError } from "./frame_error.ts";
import type { FrameHeader } from "./header.ts";
import { nestingProblem } from "./header_nesting.ts";

// The decoder keeps a byte order mark, so that JSON.parse refuses it.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the bytes of a header.
 *
 * @throws {FrameError} `header-syntax` or `header-field`
 */
export function parseHeader(bytes: Uint8Array): FrameHeader {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new FrameError("header-syntax", "The header is not UTF-8", { cause });
  }
  return parseHeaderText(text);
}

/**
 * Reads the text of a header. The result is deeply frozen.
 *
 * @throws {FrameError} `header-syntax` or `header-field`
 */
export function parseHeaderText(text: string): FrameHeader {
  const problem = nestingProblem(text);
  if (problem) throw new FrameError("header-syntax", `The header cannot be used: ${problem}`);
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new FrameError("header-syntax", "The header is not JSON", { cause });
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw new FrameError("header-syntax", "The header is not a JSON object");
  }
  checkHeader(header as Record<string, unknown>);
  // Freezing deeply costs as much as parsing, and most headers are flat.
  const nested = text.indexOf("{", text.indexOf("{") + 1) >= 0 || text.indexOf("[") >= 0;
  return (nested ? deepFreeze(header) : Object.freeze(header)) as FrameHeader;
}

// Only own fields count: a property of Object.prototype must not replace a missing field.
// JSON.parse makes "__proto__" an own field like any other.
function checkHeader(header: Record<string, unknown>): void {
  const { byteorder } = header;
  if ((byteorder !== "little" && byteorder !== "big") || !Object.hasOwn(header, "byteorder")) {
    throw fieldError(header, "byteorder", `"little" or "big"`);
  }
  for (const field of ["content-type", "content-encoding"] as const) {
    if (typeof header[field] !== "string" || !Object.hasOwn(header, field)) {
      throw fieldError(header, field, "a string");
    }
  }
  const length = header["content-length"];
  if (
    !Number.isSafeInteger(length) || (length as number) < 0 ||
    !Object.hasOwn(header, "content-length")
  ) {
    throw fieldError(header, "content-length", "a whole number from 0 to 2^53 - 1");
  }
}

function fieldError(header: Record<string, unknown>, field: string, expected: string): FrameError {
  if (!Object.hasOwn(header, field)) {
    return new FrameError("header-field", `The header lacks the field "${field}"`, { field });
  }
  const value = JSON.stringify(header[field]);
  const shown = value.length > 80 ? `${value.slice(0, 77)}...` : value;
  const message = `The header field "${field}" must be ${expected}, not ${shown}`;
  return new FrameError("header-field", message, { field });
}

/** Freezes a JSON value and everything in it. Returns it. */
function deepFreeze<T>(value: T): T {
  // Not recursive: the peer chooses how deep it nests.
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== "object" || next === null) continue;
    Object.freeze(next);
    for (const key in next) {
      const inner = (next as Record<string, unknown>)[key];
      if (typeof inner === "object" && inner !== null) open.push(inner);
    }
  }
  return value;
}
