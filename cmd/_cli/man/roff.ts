/**
 * Text as the man macros of troff want it. Only requests and macros that groff, mandoc and the
 * troff of other systems share are used, and only ASCII is written.
 *
 * @module
 */
import { wrap } from "../wrap.ts";

/** Lines longer than this are hard to read in the source. */
const LINE_LENGTH = 72;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  // Left alone, it becomes a hyphen that a search for --flag in the page would not find.
  "-": "\\-",
  "'": "\\(aq",
  '"': "\\(dq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** What stands for a character where the output has no sign for it. */
const FALLBACKS: Readonly<Record<string, string>> = { "…": "...", "µ": "u", "–": "-", "→": "->" };

/** A text in which no character means anything to troff but itself. */
export function roff(text: string): string {
  const escaped = text.replace(/\s+/g, " ").trim()
    .replace(/[\\'"`^~-]/g, (char) => ESCAPES[char]!)
    .replace(/[^ -~]/gu, (char) => `\\[u${hex(char)}]`);
  // A line that begins with one of these would be a request.
  return /^\./.test(escaped) ? `\\&${escaped}` : escaped;
}

/** A paragraph's text, in lines. */
export function prose(text: string): string[] {
  return wrap(text, LINE_LENGTH).map(roff);
}

/** A text in bold. */
export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

/** A text in italics, as what a user replaces is written. */
export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

/** A macro's line; arguments come escaped. */
export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map((arg) => `"${arg}"`)].join(" ");
}

/**
 * Says what to print for the characters of a page that an output such as ASCII lacks. The request
 * is groff's own; others skip it.
 *
 * @param lines A page made of escaped texts.
 */
export function fallbacksFor(lines: readonly string[]): string[] {
  const used = new Set(
    [...lines.join("\n").matchAll(/\\\[u([0-9A-F]+)\]/g)].map(([, code]) => code!),
  );
  return [...used].sort().map((code) => {
    const char = String.fromCodePoint(parseInt(code, 16));
    return `.if \\n(.g .fchar \\[u${code}] ${roff(FALLBACKS[char] ?? "?")}`;
  });
}

function hex(char: string): string {
  return char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
}
