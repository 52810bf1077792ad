import { assert, assertEquals } from "@std/assert";
import { Refusals } from "../../../../lib/pubsub/broker/nats/refusals.ts";

Deno.test("a refusal is told again after a while", () => {
  const refusals = new Refusals();
  const isTold = (reason: string, now: number) => refusals.sentence(reason, now) !== undefined;
  const early = [isTold("a", 0), isTold("b", 1), isTold("a", 4_999), isTold("b", 2)];
  assertEquals(early, [true, true, false, false]);
  const later = [isTold("a", 5_000), isTold("a", 9_999), isTold("a", 10_000)];
  assertEquals(later, [true, false, true]);
});

Deno.test("however many refusals come, and however long, few and short ones are told", () => {
  const refusals = new Refusals();
  const told: string[] = [];
  const hear = (now: number) => {
    for (let i = 0; i < 500; i++) {
      const sentence = refusals.sentence(`${i} ${"x".repeat(1_000)}`, now);
      if (sentence !== undefined) told.push(sentence);
    }
  };
  hear(0);
  hear(4_999);
  assertEquals(told.length, 20);
  assert(told.every(({ length }) => length < 700));
  assert(told.at(-1)!.endsWith("what else it refuses is not told for 5 s"));
  hear(5_000);
  assertEquals(told.length, 40);
});
