import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Benchmark, Row, Unit } from "../../../scripts/bench/against/benchmark.ts";
import {
  compare,
  type RowFailure,
  type RowResult,
} from "../../../scripts/bench/against/compare.ts";
import { resultLines, verdictOf } from "../../../scripts/bench/against/table.ts";
import type { Version } from "../../../scripts/bench/against/version.ts";

const now: Version = { label: "now", root: "/now", programs: [] };
const ref: Version = { label: "ref", root: "/ref", programs: [] };

/** A benchmark whose figures a function gives, and what was done in which order. */
function fake(
  rows: Readonly<Record<string, Unit>>,
  figure: (version: Version, row: string, time: number) => number,
) {
  const log: string[] = [];
  let running = 0;
  const benchmark: Benchmark = {
    name: "fake",
    rows: Object.entries(rows).map(([name, unit]): Row => ({ name, unit })),
    start(version) {
      running++;
      return Promise.resolve({
        measure(row) {
          log.push(`${version.label} ${row}`);
          const times = log.filter((line) => line === log.at(-1)).length;
          return Promise.resolve({ value: figure(version, row, times) });
        },
        [Symbol.asyncDispose]: () => Promise.resolve(void running--),
      });
    },
  };
  return { benchmark, log, running: () => running };
}

async function run(
  benchmark: Benchmark,
  options: { pairs?: number; timeLimitMs?: number; signal?: AbortSignal } = {},
) {
  const { pairs = 7, timeLimitMs = 60_000, signal = new AbortController().signal } = options;
  const told: string[] = [];
  const results = await compare([{ benchmark, rows: benchmark.rows }], {
    now,
    ref,
    pairs,
    timeLimitMs,
    signal,
    onProgress: (text) => told.push(text),
    onEstimate: () => {},
  });
  return { results, told };
}

Deno.test("rows are measured in pairs, on either version first in turn, after a trial", async () => {
  const { benchmark, log, running } = fake({ a: "frames/s" }, () => 1);
  const { told } = await run(benchmark, { pairs: 7 });
  // now, ref, ref, now, now, ref in the trial and the first pair; the other way round in the next.
  const orders = Array.from(
    { length: 8 },
    (_, i) => log.slice(i * 6, i * 6 + 6).map((line) => line.slice(0, 1)).join(""),
  );
  const [one, other] = ["nrrnnr", "rnnrrn"];
  assertEquals(orders, [one, one, other, one, other, one, other, one]);
  assertEquals(log.length, 48);
  assertEquals(told, ["trial: fake", ...[1, 2, 3, 4, 5, 6, 7].map((n) => `pair ${n} of 7: fake`)]);
  assertEquals(running(), 0);
});

Deno.test("a ratio above 1 is better now, for rates and for times", async () => {
  const { benchmark } = fake(
    { rate: "requests/s", time: "ms" },
    (version, row) => (row === "rate") === (version === now) ? 200 : 100,
  );
  const { results } = await run(benchmark);
  for (const result of results as RowResult[]) {
    assertEquals(result.ratios, Array(7).fill(2), result.name);
    assertEquals(verdictOf(result), "not worse");
  }
});

Deno.test("a row is worse when its whole interval is, and unclear when a part of it is", async () => {
  const { benchmark } = fake({ worse: "frames/s", unclear: "frames/s" }, (version, row, time) => {
    if (version === ref) return 100;
    return row === "worse" ? 90 + time / 20 : 80 + 2 * time;
  });
  const { results } = await run(benchmark);
  assertEquals((results as RowResult[]).map(verdictOf), ["worse", "unclear"]);
  const text = resultLines(results, { now: "now", ref: "ref" }).join("\n");
  assertStringIncludes(text, "1 of 2 rows are worse: their interval lies below 0.97\n  fake/worse");
  assertStringIncludes(text, "1 are unclear: their interval reaches below it");
});

Deno.test("a row that one version cannot be measured by is named with the reason, others go on", async () => {
  const { benchmark, log, running } = fake(
    { missing: "ms", broken: "ms", fine: "ms" },
    (version, row) => {
      if (row === "missing" && version === ref) throw new Error("no such row");
      if (row === "broken" && version === now) throw new Error("it died");
      return 1;
    },
  );
  const { results } = await run(benchmark);
  const [missing, broken, fine] = results as [RowFailure, RowFailure, RowResult];
  assertEquals(missing, { name: "fake/missing", reason: "ref: no such row", fails: false });
  assertEquals(broken, { name: "fake/broken", reason: "now: it died", fails: true });
  assertEquals(fine.ratios.length, 7);
  // What failed in the trial is not tried again.
  assertEquals(log.filter((line) => line === "ref missing").length, 1);
  assertEquals(running(), 0);
});

Deno.test("a version that does not start fails all rows", async () => {
  const { benchmark } = fake({ a: "ms", b: "ms" }, () => 1);
  const { results } = await run({
    ...benchmark,
    start: (version) =>
      version === ref ? Promise.reject(new Error("no port")) : benchmark.start(version),
  });
  assertEquals(
    results.map((result) => (result as RowFailure).reason),
    Array(2).fill("ref: no port"),
  );
});

Deno.test("a pair in which nothing was measured does not count", async () => {
  // The second pair of seven, of whose three measurements each the middle one counts.
  const { benchmark } = fake(
    { a: "frames/s" },
    (version, _, time) => version === now && time >= 7 && time <= 9 ? 0 : 1,
  );
  const { results } = await run(benchmark);
  assertEquals((results as RowResult[])[0]!.ratios, Array(6).fill(1));
});

Deno.test("where nothing was compared, that is said", async () => {
  const { benchmark } = fake({ a: "ms" }, () => 1);
  const start = () => Promise.reject(new Error("no port"));
  const { results } = await run({ ...benchmark, start });
  assertEquals(resultLines(results, { now: "now", ref: "ref" }), [
    "not compared: fake/a: now: no port",
    "nothing was compared",
  ]);
});

Deno.test("no pair begins after the time limit", async () => {
  const { benchmark } = fake({ a: "ms" }, () => 1);
  const { results } = await run(benchmark, { timeLimitMs: 0 });
  assertEquals(results, [
    { name: "fake/a", reason: "no pair could be measured in time", fails: true },
  ]);
});

Deno.test("too few pairs for an interval give their ratio, and are said to be too few", async () => {
  const { benchmark } = fake({ a: "ms" }, (version) => version === now ? 1 : 0.5);
  const { results } = await run(benchmark, { pairs: 3 });
  const [result] = results as [RowResult];
  assertEquals([result.ratios, result.ratio.median], [[0.5, 0.5, 0.5], 0.5]);
  assertEquals(verdictOf(result), "too few pairs");
  const text = resultLines(results, { now: "now", ref: "ref" }).join("\n");
  assertMatch(text, /fake\/a +ms +0\.5 +1 +0\.50 +too few pairs/);
  assertStringIncludes(text, "1 have too few pairs for an interval, which takes 6");
});

Deno.test("an interruption ends it and what runs; what was measured counts", async () => {
  const interruption = new AbortController();
  const { benchmark, log, running } = fake({ a: "ms", b: "ms" }, () => {
    if (log.length === 20) interruption.abort();
    return 1;
  });
  const { results } = await run(benchmark, { signal: interruption.signal });
  assertEquals((results as RowResult[]).map(({ ratios }) => ratios), [[1], [1]]);
  assert(log.length <= 24, `${log.length}`);
  assertEquals(running(), 0);
});
