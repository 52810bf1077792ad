import type { Refusal } from "./codes.ts";

/**
 * How a field of a header is refused that has another value than it must.
 *
 * @param expected What it must be: "a text".
 */
export function badField(field: string, expected: string): Refusal {
  return { code: "bad-field", message: `The field ${field} must be ${expected}` };
}
