/**
 * Finds the title of a plain text.
 *
 * @module
 */

/** A longer line is no title. */
const MAX_TITLE = 100;
/** The lines in which a title is looked for. */
const MAX_LINES = 200;
/** A longer line is no title, whatever its marks; the patterns for these take the square of its length. */
const MAX_LINE = 1000;

const WITH_LETTERS = /[\p{L}\p{N}]/u;
/** Marks of a comment around its text, in the languages that people program in. */
const COMMENT =
  /^(?:\/\/+!?|\/\*+|\*+(?=\s)|#+(?=\s)|--+(?=\s)|;+(?=\s)|%+(?=\s)|<!--)\s*|\s*(?:\*+\/|-->)$/g;
/** How programs begin, and what is only an address. */
const NO_TITLE =
  /^(?:#!|<\?|#\s*include\b|import\s+(?:.*\sfrom\s|[\"'{]|[\w.]+;?$)|from\s+\S+\s+import\b|package\s+[\w.]+;?$|["']use )|[;{(]$|^(?:[\w-]+:\s*)?\w+:\/\/\S+$/;

/** The first line with letters or digits, if it is short, and no line of a program. */
export function firstLine(text: string): string | undefined {
  for (const line of linesOf(text)) {
    if (!WITH_LETTERS.test(line)) continue;
    const trimmed = line.trim();
    if (trimmed.length > MAX_LINE || NO_TITLE.test(trimmed)) return undefined;
    const title = trimmed.replace(COMMENT, "").trim();
    return title.length <= MAX_TITLE && WITH_LETTERS.test(title) ? title : undefined;
  }
  return undefined;
}

const RST = /\.(?:rst|rest)(?:\.txt)?$/i;
/** The line under a title of reStructuredText, and above it. */
const ADORNMENT = /^([!-/:-@[-`{-~])\1{2,}\s*$/;

/** The title of a plain text, by its first lines and its file's name. */
export function textTitle(text: string, name: string): string | undefined {
  return RST.test(name) ? rstTitle(text) : firstLine(text);
}

/** The first title of a reStructuredText: directives, targets and fields before it are passed over. */
function rstTitle(text: string): string | undefined {
  const lines = linesOf(text);
  for (const [i, line] of lines.entries()) {
    const isTitle = WITH_LETTERS.test(line) && ADORNMENT.test(lines[i + 1] ?? "");
    // A title between two lines may be indented.
    if (isTitle && (/^\S/.test(line) || ADORNMENT.test(lines[i - 1] ?? ""))) return plain(line);
  }
  return undefined;
}

/** Text without the marks of roles and literals: ``:mod:`os` `` is `os`. */
function plain(line: string): string | undefined {
  if (line.length > MAX_LINE) return undefined;
  const title = line.replace(/(?::[\w:+.-]+:)?`+[!~]?([^`<]*?)\s*(?:<[^`>]*>)?`+_*/g, "$1")
    .replace(/\\(.)/g, (_, letter) => letter.trim()).replaceAll("*", "").trim();
  return title === "" || title.length > MAX_TITLE ? undefined : title;
}

function linesOf(text: string): string[] {
  return text.split(/\r\n?|\n/, MAX_LINES);
}
