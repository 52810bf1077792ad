/** A healthy client beside an attack: what others feel. */
import { assert } from "@std/assert";
import { deadline, pause } from "./deadline.ts";

/** What others may feel, in milliseconds, on a machine where a quiet run is fast. */
const BOUND_MS = 100;

/** How much longer than in a quiet run a request may take, on a machine that is slow. */
const FACTOR = 10;

/** How much longer than at the control at the same time. */
const CONTROL_FACTOR = 3;

const QUIET_REQUESTS = 50;

/** The latency below which 99 of 100 are. */
function p99(latencies: readonly number[]): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

/** How the healthy client makes its requests. */
export interface NeighbourOptions {
  /**
   * A request is due this often, also while another one is late: then both count. Else the client
   * makes one after the other, and a stall of a second is one slow request.
   */
  readonly everyMs?: number;
  /**
   * A request to a server of the same kind that is not attacked, at the same times: what it feels is
   * the machine's doing.
   */
  readonly control?: () => Promise<void>;
}

/**
 * Makes requests of a healthy client, first alone, then for as long as the attack lasts. Fails if
 * p99 beside the attack is above 100 ms, above ten times that of the quiet run, and above three
 * times that of the control.
 */
export async function latenciesBeside(
  request: () => Promise<void>,
  attack: () => Promise<void>,
  { everyMs, control }: NeighbourOptions = {},
): Promise<void> {
  const quiet: number[] = [];
  while (quiet.length < QUIET_REQUESTS) await measure(request, quiet, everyMs);
  const beside: number[] = [];
  const controlled = [0];
  let over = false;
  const attacking = attack().finally(() => over = true);
  // The attack may end by an error before it is awaited.
  attacking.catch(() => {});
  const repeat = async (request: () => Promise<void>, latencies: number[]) => {
    while (!over) await measure(request, latencies, everyMs);
  };
  await Promise.all([repeat(request, beside), control && repeat(control, controlled)]);
  await attacking;
  const bound = Math.max(BOUND_MS, FACTOR * p99(quiet), CONTROL_FACTOR * p99(controlled));
  const felt = p99(beside);
  assert(
    felt <= bound,
    `p99 ${felt.toFixed(1)} ms of ${beside.length}, ${bound.toFixed(1)} allowed`,
  );
}

/** Makes a request, and adds its latency and those of the requests that were due meanwhile. */
async function measure(
  request: () => Promise<void>,
  latencies: number[],
  everyMs = Infinity,
): Promise<void> {
  const start = performance.now();
  await deadline(request(), "an answer to the healthy client");
  const tookMs = performance.now() - start;
  for (let ms = tookMs; ms > 0; ms -= everyMs) latencies.push(ms);
  if (tookMs < everyMs && everyMs < Infinity) await pause(everyMs - tookMs);
}
