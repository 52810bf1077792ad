import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { randomFrom } from "../../../scripts/bench/documents.ts";
import { estimateRatio, MIN_PAIRS } from "../../../scripts/bench/against/ratio.ts";

const ratios = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), {
  minLength: MIN_PAIRS,
  maxLength: 20,
});

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`);
}

/** How often something happens in 2,000 comparisons of 7 pairs whose noise is long-tailed. */
function shareOf(truth: number, happens: (low: number, high: number) => boolean): number {
  const random = randomFrom(7);
  const uniform = () => (random() + 1e-9) / (1 + 1e-9);
  const noise = () => {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * random());
    return Math.exp(0.02 * normal / Math.sqrt(uniform()));
  };
  let count = 0;
  for (let i = 0; i < 2_000; i++) {
    const { low, high } = estimateRatio(
      Array.from({ length: 7 }, () => truth * noise() / noise()),
    );
    if (happens(low, high)) count++;
  }
  return count / 2_000;
}

Deno.test("the interval holds the true ratio in 95 of 100 comparisons", () => {
  const held = shareOf(1, (low, high) => low <= 1 && 1 <= high);
  assert(held > 0.935 && held < 0.97, `${held}`);
});

Deno.test("what is as good as before is hardly ever said to be worse than 0.97, what is 0.88 mostly is", () => {
  const worse = (_low: number, high: number) => high < 0.97;
  assert(shareOf(1, worse) < 0.01);
  assert(shareOf(0.88, worse) > 0.7);
});

Deno.test("the median lies in the interval, and the interval among the ratios", () => {
  fc.assert(fc.property(ratios, (ratios) => {
    const { median, low, high } = estimateRatio(ratios);
    assert(low <= median && median <= high);
    const slack = 1 + 1e-9;
    assert(low * slack >= Math.min(...ratios) && high <= Math.max(...ratios) * slack);
  }));
});

Deno.test("swapping the two versions turns the ratio over", () => {
  fc.assert(fc.property(ratios, (ratios) => {
    const one = estimateRatio(ratios);
    const other = estimateRatio(ratios.map((ratio) => 1 / ratio));
    assertNear(one.median * other.median, 1, 1e-9);
    assertNear(one.low * other.high, 1, 1e-9);
  }));
});

Deno.test("a pair that was disturbed does not move the interval beyond the others", () => {
  const calm = [0.99, 1, 1.01, 1.02, 0.98, 1.005];
  const { low, high } = estimateRatio([...calm, 30]);
  assert(low > 0.97 && high < 6, `${low} ${high}`);
  assertNear(estimateRatio([...calm, 30]).median, 1.01, 0.02);
});

Deno.test("the interval of six and of seven pairs is the one of the tables", () => {
  // Wilcoxon's critical sums at 2.5 %: 0 of six pairs, 2 of seven; the next mean bounds it.
  const logs = [1, 2, 4, 8, 16, 32, 64];
  const six = estimateRatio(logs.slice(0, 6).map((log) => Math.exp(log)));
  assertNear(Math.log(six.low), 1, 1e-9);
  assertNear(Math.log(six.high), 32, 1e-9);
  const seven = estimateRatio(logs.map((log) => Math.exp(log)));
  assertNear(Math.log(seven.low), 2, 1e-9); // 1, 1.5, 2
  assertNear(Math.log(seven.high), 40, 1e-9); // 64, 48, 40
});

Deno.test("with fewer than six pairs there is a median, and the interval has no ends", () => {
  const { median, low, high } = estimateRatio([0.9, 1, 1.1, 1.2, 1.3]);
  assertNear(median, 1.1, 0.02);
  assertEquals([low, high], [0, Infinity]);
  assertEquals(estimateRatio([0.5]), { median: 0.5, low: 0, high: Infinity });
});
