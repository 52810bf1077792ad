import { drawAt, keyed } from "./seeded.ts";

/** What a TCP segment holds on Ethernet. */
export const SEGMENT_BYTES = 1_460;

/** When a lost segment is sent again first, and the longest time between two attempts, as on Linux. */
const FIRST_TIMEOUT_MS = 200;
const LONGEST_TIMEOUT_MS = 120_000;

/** After this many attempts a system would give up; here the next one gets through. */
const MAX_ATTEMPTS = 15;

/**
 * How much later a segment comes for being lost: 0 if it is not, else the time until an attempt gets
 * through. The time between two attempts doubles.
 *
 * @param state The draws of one fault on one direction of one connection.
 * @param segment The number of the segment.
 */
export function lossMs(state: number, probability: number, segment: number): number {
  const attempts = keyed(state, segment);
  let total = 0;
  let timeoutMs = FIRST_TIMEOUT_MS;
  for (let i = 0; i < MAX_ATTEMPTS && drawAt(attempts, i) < probability; i++) {
    total += timeoutMs;
    timeoutMs = Math.min(timeoutMs * 2, LONGEST_TIMEOUT_MS);
  }
  return total;
}
