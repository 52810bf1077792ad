import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { Latencies, loadHistogramLibrary } from "../../lib/base/latencies.ts";

const library = await loadHistogramLibrary();

function latenciesOf(...ms: number[]): Latencies {
  const latencies = new Latencies(library);
  for (const each of ms) latencies.record(each);
  return latencies;
}

Deno.test("Latencies gives exact extremes and mean, percentiles to three digits", () => {
  const latencies = new Latencies(library);
  for (let us = 1; us <= 100_000; us++) latencies.record(us / 1_000);
  const { min, mean, p50, p99, max } = latencies.figures();
  assertEquals([min, mean, max], [1, 50_000.5, 100_000]);
  assert(Math.abs(p50! - 50_000) <= 50, `${p50}`);
  assert(Math.abs(p99! - 99_000) <= 99, `${p99}`);
});

Deno.test("Latencies has no figures when empty", () => {
  assertEquals(new Set(Object.values(latenciesOf().figures([95]))), new Set([null]));
});

Deno.test("Latencies gives any percentile beside the usual ones, in order", () => {
  const figures = latenciesOf(...Array.from({ length: 1_000 }, (_, i) => i + 1)).figures([
    95,
    99.95,
  ]);
  assertEquals(Object.keys(figures), [
    ...["min", "mean", "p50", "p90", "p95", "p99", "p99.9", "p99.95", "p99.99", "max"],
  ]);
  assert(Math.abs(figures.p95! - 950_000) <= 950, `${figures.p95}`);
});

Deno.test("Latencies counts what is below 1 µs as 1 µs, and above 1 h as 1 h", () => {
  const latencies = latenciesOf(0, -1, 7_200_000);
  assertEquals([latencies.count, latencies.clamped], [3, 1]);
  const { min, max } = latencies.figures();
  assertEquals([min, max], [1, 3_600_000_000]);
});

Deno.test("Latencies never gives a percentile above the largest value", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 3_600_000_000 }), { minLength: 1, maxLength: 50 }),
    fc.double({ min: 0, max: 100, noNaN: true }),
    (micros, percent) => {
      const latencies = latenciesOf(...micros.map((us) => us / 1_000));
      return latencies.percentile(percent) <= latencies.figures().max!;
    },
  ));
});

Deno.test("Latencies merged, or encoded and merged, are as if recorded in one", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 60 }),
    fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 60 }),
    (first, second) => {
      const one = latenciesOf(...[...first, ...second].map((us) => us / 1_000));
      const merged = latenciesOf(...first.map((us) => us / 1_000));
      const other = latenciesOf(...second.map((us) => us / 1_000));
      merged.add(Latencies.decode(library, structuredClone(other.encode())));
      assertEquals(merged.figures(), one.figures());
      assertEquals([merged.count, merged.clamped], [one.count, one.clamped]);
    },
  ));
});

Deno.test("Latencies records many at once like one by one, and forgets them", () => {
  const latencies = new Latencies(library);
  latencies.record(1, 16);
  latencies.record(2);
  assertEquals([latencies.count, latencies.figures().mean], [17, 1058.8]);
  latencies.clear();
  assertEquals(latencies.count, 0);
});

Deno.test("Latencies writes the text that HdrHistogram's plotters read, in milliseconds", () => {
  const lines = latenciesOf(1, 2, 3).percentileText().split("\n");
  assertEquals(lines[0]!.trim().split(/\s+/), [
    "Value",
    "Percentile",
    "TotalCount",
    "1/(1-Percentile)",
  ]);
  assertEquals(lines[2]!.trim().split(/\s+/), ["1.000", "0.000000000000", "1", "1.00"]);
  assertStringIncludes(lines.join("\n"), "#[Max");
});
