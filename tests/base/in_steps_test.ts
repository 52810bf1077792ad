import { assert, assertEquals, assertRejects } from "@std/assert";
import { atOnce, inSteps, visitInParts } from "../../lib/base/in_steps.ts";

/** Keeps the thread busy for 1 ms. */
function work(): void {
  for (const end = performance.now() + 1; performance.now() < end;);
}

Deno.test("little work is done at once", async () => {
  let isAtOnce = false;
  // Code that runs for the first time, on a machine that is busy, may take longer than 0.1 ms.
  for (let tries = 0; tries < 100 && !isAtOnce; tries++) {
    let parts = 0;
    const working = inSteps(() => ++parts === 3);
    isAtOnce = working === undefined && parts === 3;
    await working;
    assertEquals(parts, 3);
    isAtOnce &&= atOnce(() => ++parts === 6) && parts === 6;
  }
  assert(isAtOnce);
  let parts = 0;
  assertEquals(atOnce(() => (work(), ++parts === 20)), false);
  assertEquals(parts, 1);
});

Deno.test("much work lets timers run in between, and is done when the promise resolves", async () => {
  let parts = 0;
  let others = 0;
  const timer = setInterval(() => others++, 1);
  const working = inSteps(() => {
    work();
    return ++parts === 60;
  });
  assert(working !== undefined && parts < 10, `${parts} parts in one go`);
  await working;
  clearInterval(timer);
  assertEquals(parts, 60);
  assert(others >= 5, `the timer ran ${others} times`);
});

Deno.test("very much work at once keeps timers waiting no longer than a little of it does", async () => {
  const counts: number[] = [];
  let parts = 0;
  const timer = setInterval(() => {
    counts.push(parts);
    parts = 0;
  }, 0);
  const all = Array.from({ length: 100 }, () => {
    let left = 3;
    return inSteps(() => {
      work();
      parts++;
      return --left === 0;
    });
  });
  // The first part of each was done at once.
  parts = 0;
  await Promise.all(all);
  clearInterval(timer);
  assert(Math.max(...counts) <= 6, `${Math.max(...counts)} parts of 1 ms between two timers`);
});

Deno.test("what a part throws rejects the promise", async () => {
  let parts = 0;
  await assertRejects(
    async () =>
      await inSteps(() => {
        work();
        if (++parts === 20) throw new Error("broken");
        return false;
      }),
    Error,
    "broken",
  );
});

Deno.test("visitInParts() visits all items in order, a number of them in each part", () => {
  for (const length of [0, 1, 2, 3, 5, 6]) {
    const items = Array.from({ length }, (_, i) => i);
    const seen: number[] = [];
    const part = visitInParts(items, (item) => seen.push(item), 3);
    let parts = 1;
    while (!part()) parts++;
    assertEquals([seen, parts], [items, Math.floor(length / 3) + 1]);
  }
});
