import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { numbersOf, Schedule } from "../../lib/load/schedule.ts";

/** Rates and times as users give them: whole numbers, parts of a minute or an hour, decimals. */
const rates = fc.oneof(
  fc.integer({ min: 1, max: 100_000 }).map((count) => ({ over: count, under: 1 })),
  fc.integer({ min: 1, max: 1_000 }).map((count) => ({ over: count, under: 60 })),
  fc.integer({ min: 1, max: 1_000 }).map((count) => ({ over: count, under: 3_600 })),
  fc.integer({ min: 1, max: 10_000 }).map((count) => ({ over: count, under: 1_000 })),
);
const times = fc.integer({ min: 1, max: 60_000 });

Deno.test("Schedule has message k due at k / rate, for every k below rate × duration", () => {
  fc.assert(fc.property(rates, times, times, ({ over, under }, durationMs, warmupMs) => {
    const ratePerSecond = over / under;
    const schedule = new Schedule({ ratePerSecond, durationMs, warmupMs: 0 });
    // In whole numbers: ceil(over × ms / (under × 1000)).
    const exact = (ms: number) => Math.ceil(over * ms / (under * 1_000) - 1e-12);
    const whole = Number(
      (BigInt(over) * BigInt(durationMs) + BigInt(under) * 1_000n - 1n) / (BigInt(under) * 1_000n),
    );
    assertEquals([schedule.warmup, schedule.total], [0, whole]);
    assertEquals(whole, exact(durationMs));
    for (const k of [0, 1, Math.floor(whole / 2), whole - 1]) {
      const dueMs = schedule.dueMs(k);
      assert(Math.abs(dueMs - k * under * 1_000 / over) <= 1e-9 * (1 + dueMs), `${k} at ${dueMs}`);
    }
    assert(schedule.dueMs(whole - 1) < durationMs);
    assertEquals(schedule.endMs, durationMs);
    const warm = new Schedule({ ratePerSecond, durationMs, warmupMs });
    assertEquals([warm.warmup, warm.total - warm.warmup], [exact(warmupMs), whole]);
    assertEquals(warm.dueMs(warm.warmup), warmupMs);
  }));
});

Deno.test("Schedule computes the cases that were wrong once", () => {
  const totals = ([rate, seconds]: readonly [number, number]) =>
    new Schedule({ ratePerSecond: rate, durationMs: seconds * 1_000, warmupMs: 0 }).total;
  assertEquals(
    ([[0.05, 1], [0.5, 7], [1, 3], [5, 2], [333, 3], [5 / 3, 3], [1 / 7, 7], [2_000, 3]] as const)
      .map(totals),
    [1, 4, 3, 10, 999, 5, 1, 6_000],
  );
});

Deno.test("Schedule of a count ends when the message after the last would be due", () => {
  const schedule = new Schedule({
    ratePerSecond: 50,
    durationMs: Infinity,
    warmupMs: 0,
    most: 100,
  });
  assertEquals([schedule.total, schedule.endMs], [100, 2_000]);
});

Deno.test("numbersOf() gives each connection of all threads one number, as evenly as can be", () => {
  fc.assert(fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }), (counts) => {
    const all = counts.map((_, thread) => numbersOf(counts, thread));
    assertEquals(all.map(({ length }) => length), counts);
    const sum = counts.reduce((total, count) => total + count, 0);
    assertEquals(all.flat().sort((a, b) => a - b), Array.from({ length: sum }, (_, i) => i));
  }));
});
