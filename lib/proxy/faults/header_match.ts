import type { FrameHeader } from "../../frame/mod.ts";

/** Whether a header has all the fields that a fault asks for. */
export function headerMatches(
  header: FrameHeader,
  fields: readonly { readonly name: string; readonly pattern: string }[],
): boolean {
  return fields.every(({ name, pattern }) => {
    if (!Object.hasOwn(header, name)) return false;
    const value = (header as Readonly<Record<string, unknown>>)[name];
    return textMatches(typeof value === "string" ? value : JSON.stringify(value), pattern);
  });
}

/** Whether a text is what a pattern says: `*` stands for one token between dots, a last `>` for the rest. */
function textMatches(text: string, pattern: string): boolean {
  if (text === pattern) return true;
  const tokens = text.split(".");
  const wanted = pattern.split(".");
  const isOpen = wanted.at(-1) === ">";
  if (isOpen ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((token, i) =>
    token === "*" || token === tokens[i] || isOpen && i === wanted.length - 1
  );
}
