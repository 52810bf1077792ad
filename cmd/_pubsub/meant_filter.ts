/**
 * The filter that somebody means who writes one as in MQTT, with `/` between tokens, `+` for one and
 * `#` for any number; `undefined` if it is none of these.
 */
export function meantFilter(filter: string): string | undefined {
  const tokens = filter.split(/[./]/);
  if (!tokens.some((token) => token === "#" || token === "+")) return undefined;
  return tokens.map((token) => token === "#" ? ">" : token === "+" ? "*" : token).join(".");
}
