import { assertEquals } from "@std/assert";
import { Refusals } from "../../../../lib/pubsub/broker/nats/refusals.ts";

Deno.test("a refusal is told again after a while, and as many as may come are remembered", () => {
  const refusals = new Refusals();
  const isTold = (reason: string, now: number) => refusals.sentence(reason, now) !== undefined;
  assertEquals([isTold("a", 0), isTold("b", 1), isTold("a", 4_999), isTold("b", 2)], [
    true,
    true,
    false,
    false,
  ]);
  assertEquals([isTold("a", 5_000), isTold("a", 9_999), isTold("a", 10_000)], [true, false, true]);
  for (let i = 0; i < 99; i++) assertEquals(isTold(`${i}`, 10_001), true);
  assertEquals(isTold("a", 10_002), false);
  assertEquals([isTold("one more", 10_003), isTold("a", 10_004)], [true, true]);
});
