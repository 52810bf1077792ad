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
