/** A healthy client beside an attack: what others feel. */
import { assert } from "@std/assert";
import { deadline } from "./deadline.ts";

/** What others may feel, in milliseconds, on a machine where a quiet run is fast. */
const BOUND_MS = 100;

/** How much longer than in a quiet run a request may take, on a machine that is slow. */
const FACTOR = 10;

const QUIET_REQUESTS = 50;

/** The latency below which 99 of 100 are. */
function p99(latencies: readonly number[]): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

/**
 * Makes requests of a healthy client one after the other, first alone, then for as long as the
 * attack lasts. Fails if p99 beside the attack is above 100 ms and above ten times that of the quiet
 * run.
 */
export async function latenciesBeside(
  request: () => Promise<void>,
  attack: () => Promise<void>,
): Promise<void> {
  const quiet: number[] = [];
  while (quiet.length < QUIET_REQUESTS) quiet.push(await latencyOf(request));
  const beside: number[] = [];
  let over = false;
  const attacking = attack().finally(() => over = true);
  // The attack may end by an error before it is awaited.
  attacking.catch(() => {});
  while (!over) beside.push(await latencyOf(request));
  await attacking;
  const bound = Math.max(BOUND_MS, FACTOR * p99(quiet));
  const felt = p99(beside);
  assert(
    felt <= bound,
    `p99 ${felt.toFixed(1)} ms of ${beside.length}, ${bound.toFixed(1)} allowed`,
  );
}

async function latencyOf(request: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await deadline(request(), "an answer to the healthy client");
  return performance.now() - start;
}
