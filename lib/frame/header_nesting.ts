/** How deep the values of a header may lie in each other. */
export const MAX_HEADER_DEPTH = 32;

/** How many members and elements a header may have, with those of the values in it. */
export const MAX_HEADER_MEMBERS = 1_000;

/** The shortest member and its comma: `"":0,`. */
const MEMBER_LENGTH = 5;

const QUOTE = 0x22, COMMA = 0x2c, BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b, CLOSE_BRACKET = 0x5d, OPEN_BRACE = 0x7b, CLOSE_BRACE = 0x7d;

/**
 * What makes the text of a header too costly to parse, as the end of a sentence; `undefined` if
 * nothing does. 64 KiB of `[[[[` or of `{"a":0,` are 30,000 objects, 60 times the size of the text,
 * so this is looked at before they are made. The text need not be JSON.
 *
 * @param maxDepth How deep values may lie in each other.
 * @param maxMembers How many members and elements there may be.
 */
export function nestingProblem(
  text: string,
  maxDepth: number = MAX_HEADER_DEPTH,
  maxMembers: number = MAX_HEADER_MEMBERS,
): string | undefined {
  // Most headers are short and flat: 30 ns instead of 200.
  const isFlat = text.indexOf("{", 1) < 0 && text.indexOf("[") < 0;
  if (isFlat && text.length < maxMembers * MEMBER_LENGTH) return undefined;
  let depth = 0;
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = closingQuote(text, i);
        if (i < 0) return undefined;
        break;
      case COMMA:
        members++;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        members++;
        if (++depth > maxDepth) return `it nests deeper than ${maxDepth}`;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
    }
    if (members > maxMembers) return `it has more than ${maxMembers} members`;
  }
  return undefined;
}

/** How many members and elements an object or array of JSON has, as {@linkcode nestingProblem} counts. */
export function memberCount(value: object): number {
  const values: readonly unknown[] = Object.values(value);
  // An empty one counts as well: it takes memory too.
  let count = Math.max(1, values.length);
  for (const each of values) {
    if (typeof each === "object" && each !== null) count += memberCount(each);
  }
  return count;
}

/** Where a string ends that begins with the quote at `open`; -1 if it does not. */
function closingQuote(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let before = close - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((close - before) % 2 === 1) return close;
  }
  return -1;
}
