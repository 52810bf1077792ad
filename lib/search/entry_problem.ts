import { MAX_KEY_BYTES } from "./limits.ts";

const encoder = new TextEncoder();
const scratch = new Uint8Array(MAX_KEY_BYTES + 4);

/**
 * Why an entry cannot be stored, or `undefined` if it can.
 *
 * @param maxBytes The most bytes of UTF-8 that title and text may have together.
 */
export function entryProblem(
  key: string,
  entry: { readonly title: string; readonly text: string },
  maxBytes: number,
): string | undefined {
  const problem = keyProblem(key);
  if (problem !== undefined || !isTooLarge(entry, maxBytes)) return problem;
  return `title and text are larger than ${maxBytes} bytes`;
}

/** Why no entry can have a key, or `undefined` if one can. */
export function keyProblem(key: string): string | undefined {
  if (key === "") return "the key is empty";
  if (!key.isWellFormed()) return "the key is not well-formed Unicode";
  // A code unit takes at most three bytes, so most keys are known to fit.
  if (key.length * 3 > MAX_KEY_BYTES && encoder.encodeInto(key, scratch).written > MAX_KEY_BYTES) {
    return `the key is longer than ${MAX_KEY_BYTES} bytes`;
  }
  return undefined;
}

/** Whether title and text take more bytes of UTF-8 together. */
export function isTooLarge(
  { title, text }: { readonly title: string; readonly text: string },
  maxBytes: number,
): boolean {
  const length = title.length + text.length;
  // A code unit takes at most three bytes, so most texts are known to fit without counting.
  if (length * 3 <= maxBytes) return false;
  return length > maxBytes || utf8Length(title) + utf8Length(text) > maxBytes;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // A surrogate pair takes four bytes: two for each half.
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : (code & 0xf800) === 0xd800 ? 2 : 3;
  }
  return bytes;
}
