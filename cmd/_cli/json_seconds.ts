/** Milliseconds as the seconds of a JSON field, to the microsecond. */
export function jsonSeconds(ms: number): number {
  return Math.round(ms * 1_000) / 1e6;
}
