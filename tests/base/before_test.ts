import { assertEquals, assertRejects } from "@std/assert";
import { before } from "../../lib/base/before.ts";

Deno.test("before() says whether work was done in time, and what is late goes on by itself", async () => {
  assertEquals(await before(Promise.resolve("done"), 30_000), true);
  assertEquals(await before(Promise.resolve(), Infinity), true);
  const late = Promise.withResolvers<void>();
  assertEquals(await before(late.promise, 1), false);
  // Nobody waits for it any more.
  late.reject(new Error("failed late"));
});

Deno.test("before() fails as work that fails in time", async () => {
  await assertRejects(() => before(Promise.reject(new Error("failed")), 30_000), Error, "failed");
});
