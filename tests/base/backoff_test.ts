import { assert, assertEquals } from "@std/assert";
import { Backoff } from "../../lib/base/backoff.ts";

Deno.test("back-off doubles its bound and spreads evenly below it", () => {
  const highest = new Backoff({ firstMs: 100, longestMs: 1_000 }, () => 0.999_999);
  const waits = Array.from({ length: 6 }, () => Math.round(highest.next()));
  assertEquals(waits, [100, 200, 400, 800, 1_000, 1_000]);
  highest.reset();
  assertEquals(Math.round(highest.next()), 100);
  const spread = new Backoff({ firstMs: 1_000 });
  const first = Array.from({ length: 200 }, () => (spread.reset(), spread.next()));
  assert(Math.min(...first) < 200 && Math.max(...first) > 800);
});
