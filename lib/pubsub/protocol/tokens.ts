/** The wildcard for one token, as {@linkcode tokensOf} gives it. */
export const STAR_TOKEN = ".*";

/** The wildcard for one token or more, as {@linkcode tokensOf} gives it. */
export const REST_TOKEN = ".>";

/**
 * The tokens of a topic or filter, each with a dot before it: the runtime's maps become slow with hundreds of thousands
 * of keys that look like numbers (13 µs for a look in vain), as the names of sensors do.
 */
export function tokensOf(text: string): string[] {
  const dotted = `.${text}`;
  const tokens: string[] = [];
  for (let at = 0; at >= 0;) {
    const next = dotted.indexOf(".", at + 1);
    tokens.push(next < 0 ? dotted.slice(at) : dotted.slice(at, next));
    at = next;
  }
  return tokens;
}
