/** What pages compute and show of figures, and what their URLs say. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bytes, count, ms, span } from "../../pages/common/units.ts";
import { History } from "../../pages/live/history.ts";
import { quantile } from "../../pages/live/quantile.ts";
import type { Figure } from "../../pages/live/series.ts";
import type { Stats } from "../../pages/live/stats.ts";
import { entryPath, placeOf, urlOf } from "../../pages/search/place.ts";
import { TimeHistogram } from "../../lib/web/mod.ts";
import { anyCharacter } from "../support/any_character.ts";

Deno.test("figures have three digits and a unit", () => {
  const cases: readonly (readonly [string, string])[] = [
    [bytes(0), "0 B"],
    [bytes(1_023), "1023 B"],
    [bytes(1_536), "1.5 KiB"],
    [bytes(1024 ** 2 - 1), "1 MiB"],
    [bytes(123.456 * 1024 ** 2), "123 MiB"],
    [count(0), "0"],
    [count(0.256), "0.26"],
    [count(99_999), "99,999"],
    [count(123_456), "123 k"],
    [count(1e6), "1 M"],
    [ms(0.123), "0.12 ms"],
    [ms(12.34), "12.3 ms"],
    [ms(1_500), "1.5 s"],
    [span(59_999), "59 s"],
    [span(60_000), "1 min"],
    [span(3_780_000), "1 h 3 min"],
    [span(187_200_000), "2 d 4 h"],
  ];
  for (const [text, expected] of cases) assertEquals(text, expected);
});

Deno.test("quantile() is within the bucket of the exact one, of what came since", () => {
  const times = fc.array(fc.double({ min: 0.001, max: 9_000, noNaN: true }), { maxLength: 50 });
  const bucketsOf = (histogram: TimeHistogram) =>
    histogram.buckets().map(({ bound, count }): [number | null, number] => [
      bound === Infinity ? null : bound * 1_000,
      count,
    ]);
  fc.assert(fc.property(times, times, fc.constantFrom(0.5, 0.99), (old, recent, share) => {
    const histogram = new TimeHistogram("test_seconds", "A test");
    for (const time of old) histogram.observe(time);
    const before = bucketsOf(histogram);
    for (const time of recent) histogram.observe(time);
    const found = quantile(bucketsOf(histogram), before, share);
    if (recent.length === 0) return assertEquals(found, null);
    const sorted = recent.toSorted((a, b) => a - b);
    const exact = sorted[Math.ceil(sorted.length * share) - 1]!;
    const bounds = before.map(([bound]) => bound ?? Infinity);
    const at = bounds.findIndex((bound) => exact <= bound * 1.000_001);
    const [low, high] = [bounds[at - 1] ?? 0, bounds[at]!];
    // Seconds as milliseconds are not always the same number.
    assert(found! >= low * 0.999 && found! <= high * 1.001, `${found} for ${exact}`);
  }));
  const above = new TimeHistogram("test_seconds", "A test");
  const none = bucketsOf(above);
  above.observe(60_000);
  assertEquals(quantile(bucketsOf(above), none, 0.5), 10_000);
});

Deno.test("rates go over polls that failed, and begin anew with another start", () => {
  const rate: Figure = {
    name: "rate",
    isRate: true,
    value: ({ uptimeMs }) => uptimeMs,
    format: String,
  };
  const level: Figure = { name: "level", value: ({ memoryBytes }) => memoryBytes, format: String };
  const history = new History([rate, level]);
  const add = (at: number, startedAt: number, value: number) =>
    history.add(at, { startedAt, uptimeMs: value, memoryBytes: value } as Stats, 1);
  add(0, 1, 10);
  add(1_000, 1, 30);
  history.add(2_000, undefined, 1);
  add(3_000, 1, 70);
  add(4_000, 2, 5);
  add(5_000, 2, 6);
  assertEquals(history.of(rate), [null, 20, null, 20, null, 1]);
  assertEquals(history.of(level), [10, 30, null, 70, 5, 6]);
  for (let i = 6; i < 1_000; i++) add(i * 1_000, 2, i);
  assertEquals([history.times.length, history.of(rate).length], [300, 300]);
});

Deno.test("a place is what its URL says, for any key and query", () => {
  const site = "http://127.0.0.1:9090";
  const text = fc.string({ unit: anyCharacter, maxLength: 20 }).filter((each) =>
    each.isWellFormed()
  );
  const key = fc.oneof(text, fc.constantFrom(".", "..", "a/b", "?", "#", "%2e", "x y", ""));
  fc.assert(fc.property(key, (key) => {
    const place = { key };
    assertEquals(placeOf(new URL(urlOf(place), site)), place);
    const { pathname, searchParams } = new URL(entryPath("/api/entry", key), site);
    const asked = searchParams.get("key") ??
      decodeURIComponent(pathname.slice("/api/entry/".length));
    assertEquals(asked, key);
  }));
  fc.assert(fc.property(text, fc.nat(10_000), fc.boolean(), (q, offset, exact) => {
    const place = { q, offset, exact };
    assertEquals(placeOf(new URL(urlOf(place), site)), place);
  }));
  for (const offset of ["-1", "1.5", "x", "1e9", ""]) {
    const { offset: read } = placeOf(new URL(`/?q=a&offset=${offset}`, site)) as { offset: number };
    assert(read === 0 || read === 10_000, `${offset}: ${read}`);
  }
  assertEquals(placeOf(new URL("/entry/%ff", site)), { key: "%ff" });
});
