import { assert, assertEquals } from "@std/assert";
import { TurnLine } from "../../lib/base/turn_line.ts";

/** Keeps the thread busy for 1 ms. */
function work(): void {
  for (const end = performance.now() + 1; performance.now() < end;);
}

Deno.test("what waits goes on in its order, until all of it has taken the time", async () => {
  const line = new TurnLine();
  const order: number[] = [];
  const all = Array.from({ length: 50 }, async (_, i) => {
    await line.wait();
    order.push(i);
    work();
  });
  await line.serve(3);
  assert(order.length >= 1 && order.length <= 4, `${order.length} in 3 ms`);
  assertEquals(line.length, 50 - order.length);
  await line.serve(0);
  assert(order.length <= 5, "one goes on in any case, and no more");
  await line.serve(Infinity);
  await Promise.all(all);
  assertEquals(order, Array.from({ length: 50 }, (_, i) => i));
});

Deno.test("a line in which nobody waits is served at once", async () => {
  const line = new TurnLine();
  await line.serve(Infinity);
  assertEquals(line.length, 0);
});
