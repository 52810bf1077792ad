/** A healthy client beside an attack: what others feel. */
import process from "node:process";
import { assert, AssertionError, assertMatch, assertRejects } from "@std/assert";
import { deadline, pause } from "./deadline.ts";

/** What others may feel, in milliseconds, on a machine where a quiet run is fast. */
const BOUND_MS = 100;

/** How much longer than in a quiet run a request may take, on a machine that is slow. */
const FACTOR = 10;

const QUIET_REQUESTS = 25;

/** The latency below which 99 of 100 are. */
export function p99(latencies: readonly number[]): number {
  const sorted = latencies.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1]!;
}

/**
 * What may take 100 ms on a machine that does nothing else. Where several programs want each of its
 * cores, a server that is busy gets its share of one.
 */
export function longestWaitMs(): number {
  return BOUND_MS * Math.max(1, Deno.loadavg()[0]! / navigator.hardwareConcurrency);
}

/**
 * Asserts what others may feel beside an attack, in milliseconds: at p99 no more than 100 ms, or ten
 * times as long as in quiet moments of the same machine at about the same time.
 */
export function assertFeltLittle(
  beside: readonly number[],
  quiet: readonly number[],
  what: string,
  leastMs: number = longestWaitMs(),
): void {
  assertP99(beside, Math.max(leastMs, FACTOR * p99(quiet)), what);
}

function assertP99(beside: readonly number[], bound: number, what: string): void {
  const felt = p99(beside);
  assert(
    felt <= bound,
    `${what}: p99 ${felt.toFixed(1)} ms of ${beside.length}, ${bound.toFixed(1)} allowed`,
  );
}

/** How the healthy client makes its requests. */
export interface NeighbourOptions {
  /**
   * A request is due this often, also while another one is late: then both count. Else the client
   * makes one after the other, and a stall of a second is one slow request.
   */
  readonly everyMs?: number;
  /**
   * How long the server has worked, in milliseconds: a request counts for no longer than the server
   * works meanwhile. Then nothing depends on what else the machine does.
   */
  readonly work?: (() => number) | undefined;
  /** How many attacks are made, where a machine that is busy may disturb some. @default {1} */
  readonly tries?: number;
  /** What p99 may be in milliseconds. Then no requests are made in quiet moments. */
  readonly boundMs?: number | undefined;
}

/**
 * Makes requests of a healthy client, first alone, then for as long as the attack lasts. Fails if
 * p99 beside the attack is above 100 ms and above ten times that of the quiet run, however often it is
 * tried.
 */
export async function latenciesBeside(
  request: () => Promise<void>,
  attack: () => Promise<void>,
  options: NeighbourOptions = {},
): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await attackOnce(request, attack, options);
    } catch (error) {
      if (!(error instanceof AssertionError) || tries >= (options.tries ?? 1)) throw error;
    }
  }
}

async function attackOnce(
  request: () => Promise<void>,
  attack: () => Promise<void>,
  options: NeighbourOptions,
): Promise<void> {
  const { work, boundMs } = options;
  const quiet: number[] = [];
  const enough = boundMs === undefined ? QUIET_REQUESTS : 0;
  for (const due = {}; quiet.length < enough;) await measure(request, quiet, options, due);
  const beside: number[] = [];
  let over = false;
  const attacking = attack().finally(() => over = true);
  // The attack may end by an error before it is awaited.
  attacking.catch(() => {});
  for (const due = {}; !over;) await measure(request, beside, options, due);
  await attacking;
  const what = "beside the attack";
  if (boundMs !== undefined) return assertP99(beside, boundMs, what);
  assertFeltLittle(beside, quiet, what, work ? BOUND_MS : undefined);
}

/** Asserts that an attack shows it: the healthy client waits for too long, or until it gives up. */
export async function assertNoticed(attacking: () => Promise<void>): Promise<void> {
  const { message } = await assertRejects(attacking, Error);
  assertMatch(message, /^beside the attack: p99|^an answer to the healthy client: not within/);
}

/** When a request is due, and how long the server had worked when that was known. */
interface Due {
  at?: number | undefined;
  work?: number;
}

/** Makes a request, and adds its latency and those of the requests that were due meanwhile. */
async function measure(
  request: () => Promise<void>,
  latencies: number[],
  { everyMs = Infinity, work }: NeighbourOptions,
  due: Due,
): Promise<void> {
  // A server in this process may have kept the client itself from asking when it was due.
  const isKept = work === ownWork && due.at !== undefined;
  const begin = isKept ? due.at! : performance.now();
  const beginWork = isKept ? due.work! : work?.() ?? 0;
  await deadline(request(), "an answer to the healthy client");
  const passedMs = performance.now() - begin;
  const tookMs = work ? Math.min(passedMs, work() - beginWork) : passedMs;
  for (let ms = tookMs; ms > 0; ms -= everyMs) latencies.push(ms);
  due.at = undefined;
  if (passedMs >= everyMs || everyMs === Infinity) return;
  due.at = begin + everyMs;
  due.work = work?.() ?? 0;
  await pause(everyMs - passedMs);
}

/** How long this process has worked, in milliseconds; for a server in it. */
export function ownWork(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
