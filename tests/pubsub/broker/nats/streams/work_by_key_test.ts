import { assertEquals, assertRejects } from "@std/assert";
import { WorkByKey } from "../../../../../lib/pubsub/broker/nats/streams/work_by_key.ts";

Deno.test("work for one key is done one after the other, also after a failure; other keys do not wait", async () => {
  const work = new WorkByKey();
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = work.run("a", async () => {
    await gate.promise;
    throw new Error("failed");
  });
  const second = work.run("a", () => Promise.resolve(done.push("a")));
  await work.run("b", () => Promise.resolve(done.push("b")));
  assertEquals([done, work.has("a"), work.has("b")], [["b"], true, false]);
  gate.resolve();
  await assertRejects(() => first, Error, "failed");
  assertEquals(await second, 2);
  assertEquals([done, work.has("a")], [["b", "a"], false]);
});
