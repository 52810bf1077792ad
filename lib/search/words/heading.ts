import { wordsOf } from "./words.ts";

/** A longer title is compared by its beginning. */
const MAX_LENGTH = 160;
/** `8.1. `, `3.2 `, `Chapter 8. `: a title is looked for without it, too. */
const NUMBER =
  /^\s*(?:(?:chapter|part|section|appendix)\s+(?:\d+|[A-Z])[.:]|\d+(?:\.\d+)*\.|\d+(?:\.\d+)+)\s+(?=\S)/i;

/** The words of a title, joined by spaces: titles of the same words are equal. */
export function headingOf(title: string): string {
  return wordsOf(title.slice(0, MAX_LENGTH)).join(" ");
}

/** The {@linkcode headingOf} a title without the number before it; `undefined` if it has none. */
export function unnumberedHeadingOf(title: string): string | undefined {
  const match = NUMBER.exec(title.slice(0, MAX_LENGTH));
  return match ? headingOf(title.slice(match[0].length)) : undefined;
}
