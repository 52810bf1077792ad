import { assert, assertEquals } from "@std/assert";
import { PeriodicLook, tickMs } from "../../lib/base/periodic_look.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { deadline } from "../support/deadline.ts";

/** Resolves at the look with a number, from 1. */
function looks() {
  const waiting = new Map<number, () => void>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    look() {
      waiting.get(++count)?.();
    },
    reached: (n: number) =>
      deadline(new Promise<void>((resolve) => waiting.set(n, resolve)), `look ${n}`),
  };
}

Deno.test("tickMs() is a quarter of the shortest limit, between 20 ms and 1 s", () => {
  const cases: [number[], number][] = [
    [[1_000], 250],
    [[600_000, 2_000, 60_000], 500],
    [[80], 20],
    [[1], 20],
    [[0.5, 10_000], 20],
    [[4_000], 1_000],
    [[60_000], 1_000],
    [[0, 400, 0], 100],
    [[Infinity, 400], 100],
    [[], Infinity],
    [[0], Infinity],
    [[Infinity, 0], Infinity],
  ];
  for (const [limits, expected] of cases) assertEquals(tickMs(...limits), expected, `${limits}`);
});

Deno.test("a PeriodicLook looks again and again, and is told the time", async () => {
  const times: number[] = [];
  const seen = looks();
  const before = performance.now();
  using look = new PeriodicLook(1, (now) => {
    times.push(now);
    seen.look();
  });
  look.start();
  await seen.reached(5);
  assertEquals(times.toSorted((a, b) => a - b), times);
  assert(times[0]! > before && times.at(-1)! <= performance.now());
});

Deno.test("a look that is late by the time between two is told so, up to three in a row", async () => {
  const EVERY_MS = 1;
  const cases: [lateMs: number, isLate: boolean][] = [
    [0, false],
    [1, false],
    [1.5, true],
    [0, false],
    [60_000, true],
    [1.5, true],
    [1.5, true],
    [1.5, false],
    [1.5, true],
  ];
  const { now } = performance;
  let atMs = 0;
  performance.now = () => atMs;
  try {
    const told: boolean[] = [];
    const seen = looks();
    using look = new PeriodicLook(EVERY_MS, (_, isLate) => {
      told.push(isLate);
      atMs += EVERY_MS + (cases[told.length]?.[0] ?? 0);
      seen.look();
    });
    look.start();
    atMs += EVERY_MS + cases[0]![0];
    await seen.reached(cases.length);
    assertEquals(told.slice(0, cases.length), cases.map(([, isLate]) => isLate));
  } finally {
    performance.now = now;
  }
});

Deno.test("a PeriodicLook has one timer, however often it is started, and none once it is stopped", async () => {
  const seen = looks();
  const look = new PeriodicLook(5, seen.look);
  // A second timer would be leaked: it could not be stopped.
  for (let i = 0; i < 3; i++) look.start();
  await seen.reached(1);
  look.stop();
  look.stop();
  const { count } = seen;
  // A timer that fires later than one of the same length would have.
  await deadline(new Promise<void>((resolve) => setTimeout(resolve, 10)));
  assertEquals(seen.count, count);
  look.start();
  await seen.reached(count + 1);
  look[Symbol.dispose]();
});

Deno.test("a PeriodicLook that is not started, or has nothing to look for, has no timer", () => {
  new PeriodicLook(1, () => {});
  new PeriodicLook(Infinity, () => {}).start();
});

Deno.test("a PeriodicLook that looks after a longer time than timers take does not look at once", async () => {
  let count = 0;
  using look = new PeriodicLook(1e12, () => void count++);
  look.start();
  await deadline(new Promise<void>((resolve) => setTimeout(resolve, 10)));
  assertEquals(count, 0);
});

Deno.test("a look may stop itself", async () => {
  const seen = looks();
  const look = new PeriodicLook(1, () => {
    look.stop();
    seen.look();
  });
  look.start();
  await seen.reached(1);
});

Deno.test("a look that fails is reported, and the next one comes", async () => {
  const reported: unknown[] = [];
  using _ = redirectErrors((error, what) => reported.push([what, error]));
  const seen = looks();
  using look = new PeriodicLook(1, () => {
    seen.look();
    if (seen.count < 3) throw `look ${seen.count}`;
  });
  look.start();
  await seen.reached(3);
  assertEquals(reported, [1, 2].map((n) => ["A periodic check failed", `look ${n}`]));
});
