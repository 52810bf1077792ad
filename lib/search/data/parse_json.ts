/**
 * Parses JSON so that numbers keep their digits.
 *
 * @module
 */

/** What a JavaScript number may not keep: many digits, zeros behind a point, an exponent, -0. */
const LOSES_DIGITS = /\d{16}|\.\d*0(?!\d)|\d[eE][-+]?\d|-0(?![.\d])/;

/**
 * Parses a JSON text. A number that JavaScript would write in another way than the text does, such
 * as `1234567890123456789` or `1.10`, becomes the text of its digits.
 *
 * @throws {SyntaxError} if it is no JSON.
 */
export function parseJson(text: string): unknown {
  if (!LOSES_DIGITS.test(text)) return JSON.parse(text);
  try {
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
  } catch (error) {
    // A reviver calls itself for each level, and runs out of stack where plain parsing does not.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }) {
  return typeof value === "number" && String(value) !== source ? source : value;
}
