import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from "../../lib/base/units.ts";

Deno.test("parseBytes() reads sizes with decimal and binary units", () => {
  assertEquals(parseBytes("512"), 512);
  assertEquals(parseBytes("512B"), 512);
  assertEquals(parseBytes("64KiB"), 65_536);
  assertEquals(parseBytes("64kib"), 65_536);
  assertEquals(parseBytes("1MB"), 1_000_000);
  assertEquals(parseBytes("1.5 MiB"), 1_572_864);
  assertEquals(parseBytes("1.1kB"), 1_100);
  assertEquals(parseBytes("4GiB"), 4_294_967_296);
});

Deno.test("parseBytes() refuses what is no whole number of bytes", () => {
  for (
    const text of [
      "",
      "KiB",
      "-1",
      "1.5",
      "0.3B",
      "1e3",
      "64K",
      "1 parsec",
      "1,5MB",
      " 1",
      "9e99",
      "99999999TiB",
      "1 constructor",
    ]
  ) {
    assertEquals(parseBytes(text), undefined, text);
  }
});

Deno.test("parseDuration() gives milliseconds", () => {
  assertEquals(parseDuration("500ms"), 500);
  assertEquals(parseDuration("30s"), 30_000);
  assertEquals(parseDuration("3m"), 180_000);
  assertEquals(parseDuration("1h30m"), 5_400_000);
  assertEquals(parseDuration("1h 30m"), 5_400_000);
  assertEquals(parseDuration("1.5s"), 1500);
  assertEquals(parseDuration("250us"), 0.25);
  assertEquals(parseDuration("250µs"), 0.25);
  assertEquals(parseDuration("2d"), 172_800_000);
  assertEquals(parseDuration("0"), 0);
});

Deno.test("parseDuration() refuses bare numbers, unknown units and units out of order", () => {
  for (
    const text of ["", "5", "5 parsecs", "-5s", "30m1h", "1s1s", "s", "1h ", "1h  2m", "1.s", "∞s"]
  ) {
    assertEquals(parseDuration(text), undefined, text);
  }
});

Deno.test("parseCount() and parseRate() read k, M and G as thousands", () => {
  assertEquals(parseCount("10k"), 10_000);
  assertEquals(parseCount("1.5M"), 1_500_000);
  assertEquals(parseCount("0"), 0);
  assertEquals(parseCount("1.5"), undefined);
  assertEquals(parseCount("1.0005k"), undefined);
  assertEquals(parseCount("ten"), undefined);
  assertEquals(parseRate("10k"), 10_000);
  assertEquals(parseRate("10k/s"), 10_000);
  assertEquals(parseRate("0.5"), 0.5);
  assertEquals(parseRate("6/m"), 0.1);
  assertEquals(parseRate("6/min"), 0.1);
  assertEquals(parseRate("1.8k/h"), 0.5);
  assertEquals(parseRate("10/d"), undefined);
  assertEquals(parseRate("10/"), undefined);
});

Deno.test("printed quantities carry their unit", () => {
  assertEquals(formatBytes(0), "0 B");
  assertEquals(formatBytes(1023), "1023 B");
  assertEquals(formatBytes(1536), "1.5 KiB");
  assertEquals(formatBytes(1_048_575), "1 MiB");
  assertEquals(formatDuration(0), "0 µs");
  assertEquals(formatDuration(0.3401), "340 µs");
  assertEquals(formatDuration(1.25), "1.25 ms");
  assertEquals(formatDuration(12_345), "12.3 s");
  assertEquals(formatDuration(59_999), "1m");
  assertEquals(formatDuration(200_000), "3m 20s");
  assertEquals(formatDuration(5_400_000), "1h 30m");
  assertEquals(formatDuration(187_200_000), "2d 4h");
  assertEquals(formatCount(1, "message"), "1 message");
  assertEquals(formatCount(9999, "message"), "9999 messages");
  assertEquals(formatCount(12_345, "message"), "12.3k messages");
  assertEquals(formatCount(2, "reply", "replies"), "2 replies");
  assertEquals(formatRate(1_240_000, "message"), "1.24M messages/s");
  assertEquals(formatRate(0.5, "message"), "0.5 messages/s");
});

const magnitudes = fc.tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.nat(13))
  .map(([mantissa, exponent]) => mantissa * 10 ** exponent);

function near(actual: number | undefined, expected: number, tolerance: number): boolean {
  return actual !== undefined && Math.abs(actual - expected) <= expected * tolerance;
}

Deno.test("what formatBytes() prints, parseBytes() reads within the rounding", () => {
  fc.assert(fc.property(magnitudes.map(Math.round), (bytes) => {
    const text = formatBytes(bytes);
    // Three digits of a binary unit need not be a whole number of bytes.
    const read = parseBytes(text);
    if (read === undefined) return /\.\d/.test(text);
    assertEquals(formatBytes(read), text);
    return near(read, bytes, 0.005);
  }));
});

Deno.test("what formatDuration() prints, parseDuration() reads within the rounding", () => {
  fc.assert(fc.property(magnitudes.map((n) => n / 1000), (ms) => {
    const text = formatDuration(ms);
    const read = parseDuration(text);
    assert(read !== undefined, text);
    assertEquals(formatDuration(read), text);
    return near(read, ms, 0.025);
  }));
});

Deno.test("what formatCount() and formatRate() print can be read back", () => {
  fc.assert(fc.property(magnitudes.map(Math.round), (count) => {
    const [digits] = formatCount(count, "thing").split(" ");
    assert(near(parseCount(digits!), count, 0.005), digits);
    const rate = formatRate(count, "thing").replace(" things", "");
    return near(parseRate(rate), count, 0.005);
  }));
});

Deno.test("whole quantities in a user's own writing are read exactly", () => {
  const units = { B: 1, kB: 1e3, MB: 1e6, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 };
  fc.assert(
    fc.property(fc.nat(100_000), fc.constantFrom(...Object.entries(units)), (n, [unit, factor]) => {
      assertEquals(parseBytes(`${n}${unit}`), n * factor);
    }),
  );
  fc.assert(fc.property(fc.nat(99), fc.nat(59), fc.nat(59), (h, m, s) => {
    assertEquals(parseDuration(`${h}h${m}m${s}s`), ((h * 60 + m) * 60 + s) * 1000);
  }));
});

Deno.test("no text makes the readers throw", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    for (const parse of [parseBytes, parseDuration, parseCount, parseRate]) {
      const value = parse(text);
      assert(value === undefined || (value >= 0 && Number.isFinite(value)));
    }
  }));
});
