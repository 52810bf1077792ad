/**
 * Writes text for troff's man macros: in ASCII, with the requests and macros that groff, mandoc and
 * other troffs have in common.
 *
 * @module
 */
import { wrap } from "../wrap.ts";

/** The longest line of the source, so that it can be read. */
const LINE_LENGTH = 72;

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  // Unescaped, it is printed as a typographic hyphen, and a search for --flag finds nothing.
  "-": "\\-",
  "'": "\\(aq",
  '"': "\\(dq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** Replacements for characters that the output cannot show. */
const FALLBACKS: Readonly<Record<string, string>> = { "…": "...", "µ": "u", "–": "-", "→": "->" };

/** Escapes a text, so that troff prints every character as it is. */
export function roff(text: string): string {
  const escaped = text.replace(/\s+/g, " ").trim()
    .replace(/[\\'"`^~-]/g, (char) => ESCAPES[char]!)
    .replace(/[^ -~]/gu, (char) => `\\[u${hex(char)}]`);
  // A line that begins with a dot would be a request.
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

/** A text in italics, for what users replace. */
export function italic(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

/** A line with a macro. Its arguments are escaped already. */
export function macro(name: string, ...args: readonly string[]): string {
  return [`.${name}`, ...args.map((arg) => `"${arg}"`)].join(" ");
}

/**
 * Lines that say what to print for characters that the output, such as ASCII, cannot show. The
 * request is groff's own; other troffs skip it.
 *
 * @param lines The page, of escaped texts.
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
