import type { FrameHeader } from "../../frame/header.ts";
import { parseHeader } from "../../frame/parse_header.ts";

const OPENING = 0x7b;
const CLOSING = 0x7d;
const QUOTE = 0x22;

/** Headers that were tried and are none may have this many bytes for each byte searched. */
const TRIED_PER_BYTE = 8;

/** What was found of the next frame. */
export interface FoundFrame {
  /** Where it begins, or where the search has to go on. */
  readonly at: number;
  /** Whether it begins there for sure; if not, more bytes are needed to tell. */
  readonly isWhole: boolean;
}

/**
 * Looks for the next plausible frame in bytes that begin anywhere: a length, and a header of that
 * length with the four fields. A header that is not complete yet counts for less than a whole one
 * behind it: no header has another one in it, because its length would be no character of JSON.
 *
 * What a peer can send to make the search costly has a bound: bytes that look like headers again and
 * again are tried for eight times their number.
 */
export function findFrame(bytes: Uint8Array): FoundFrame {
  const end = bytes.length;
  let budget = (end + 65_536) * TRIED_PER_BYTE;
  let incomplete = -1;
  // The header's brace stands behind two bytes of length.
  for (
    let brace = bytes.indexOf(OPENING, 2);
    brace >= 0;
    brace = bytes.indexOf(OPENING, brace + 1)
  ) {
    const at = brace - 2;
    const headerEnd = brace + ((bytes[at]! << 8) | bytes[at + 1]!);
    if (!couldBeHeader(bytes, brace, Math.min(end, headerEnd))) continue;
    if (headerEnd > end) {
      if (incomplete < 0) incomplete = at;
    } else if (budget > 0 && lastOf(bytes, brace, headerEnd) === CLOSING) {
      budget -= headerEnd - brace;
      if (headerOf(bytes.subarray(brace, headerEnd))) return { at, isWhole: true };
    }
  }
  return { at: incomplete >= 0 ? incomplete : Math.max(0, end - 2), isWhole: false };
}

function headerOf(bytes: Uint8Array): FrameHeader | undefined {
  try {
    return parseHeader(bytes);
  } catch {
    return undefined;
  }
}

/** Whether the first bytes after the brace can be those of a header: a name follows it. */
function couldBeHeader(bytes: Uint8Array, brace: number, end: number): boolean {
  for (let at = brace + 1; at < end; at++) {
    if (!isSpace(bytes[at]!)) return bytes[at] === QUOTE && hasColon(bytes, at + 1, end);
  }
  return end - brace > 0;
}

/** Names are short: a colon follows within 64 bytes, or the bytes end before. */
function hasColon(bytes: Uint8Array, start: number, end: number): boolean {
  const limit = Math.min(end, start + 64);
  for (let at = start; at < limit; at++) {
    if (bytes[at] === 0x3a) return true;
    if (bytes[at]! < 0x20) return false;
  }
  return limit === end;
}

/** The last byte that is no white space. */
function lastOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = end - 1;
  while (at > start && isSpace(bytes[at]!)) at--;
  return bytes[at];
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
