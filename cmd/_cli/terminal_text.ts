/**
 * Makes a peer's text safe for a terminal: control characters become `\x1b`, `\u202e`, so that they
 * cannot move the cursor, change the title or reorder a line. Line feeds and tabs stay.
 */
export function escapeForTerminal(text: string): string {
  return text.replace(UNSAFE, (char) => {
    if (char === "\n" || char === "\t") return char;
    const code = char.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** C0 and C1 controls, and those that change a text's direction. */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Adds colours and weights for a terminal, or leaves a text as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** @param enabled Whether the texts go to a terminal whose user wants colour. */
export function createStyle(enabled: boolean): Style {
  const with_ = (on: number, off: number) => (text: string) =>
    enabled ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: with_(1, 22),
    dim: with_(2, 22),
    red: with_(31, 39),
    yellow: with_(33, 39),
    green: with_(32, 39),
    cyan: with_(36, 39),
  };
}
