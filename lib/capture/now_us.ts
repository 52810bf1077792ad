/** Microseconds since 1970, on a clock that does not go back. */
export function nowUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1_000);
}
