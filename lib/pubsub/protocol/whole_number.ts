/** Whether a value of a header or of JSON is a whole number from 0 to 2^53 - 1. */
export function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
