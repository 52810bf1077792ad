import { wordsOf } from "./words.ts";

/** A longer title is compared by its beginning. */
const MAX_LENGTH = 160;
/** `8.1. `, `3.2 `, `Chapter 8. `: a title is looked for without it, too. */
const NUMBER =
  /^\s*(?:(?:chapter|part|section|appendix)\s+(?:\d+|[A-Z])[.:]|\d+(?:\.\d+)*\.|\d+(?:\.\d+)+)\s+(?=\S)/i;
/** A file: its name, whole and without what stands behind the last dot. */
const FILE = /(?:^|\/)(([^/]+)\.[A-Za-z0-9]{1,8})$/;

/** Words of a title that are separated by single spaces, as most are: then only capitals are folded. */
const PLAIN = /^[0-9A-Za-z]+(?: [0-9A-Za-z]+)*$/;

/** The words of a title, joined by spaces: titles of the same words are equal. */
export function headingOf(title: string): string {
  const beginning = title.slice(0, MAX_LENGTH);
  return PLAIN.test(beginning) ? beginning.toLowerCase() : wordsOf(beginning).join(" ");
}

/**
 * The texts that count as an entry's title: the title, also without the number before it, and for a
 * file its name, with and without what is behind the dot.
 */
export function headingsOf(title: string, key: string): string[] {
  const heading = headingOf(title);
  const number = NUMBER.exec(title.slice(0, MAX_LENGTH));
  const file = key.includes(".") ? FILE.exec(key) : null;
  if (number === null && file === null) return heading === "" ? [] : [heading];
  const headings = [heading];
  if (number !== null) headings.push(headingOf(title.slice(number[0].length)));
  if (file !== null) headings.push(headingOf(file[2]!), headingOf(file[1]!));
  return [...new Set(headings)].filter((heading) => heading !== "");
}
