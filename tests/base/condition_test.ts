import { assertEquals, assertRejects } from "@std/assert";
import { Condition } from "../../lib/base/condition.ts";

Deno.test("all who wait go on, and who begins to wait then waits for the next time", async () => {
  const condition = new Condition();
  // Nobody waits.
  condition.notify();
  const gone: string[] = [];
  const wait = (name: string) => condition.wait().then(() => void gone.push(name));
  const first = [wait("a"), wait("b")];
  assertEquals(condition.isAwaited, true);
  condition.notify();
  assertEquals(condition.isAwaited, false);
  const second = wait("c");
  await Promise.all(first);
  assertEquals(gone, ["a", "b"]);
  condition.notify();
  await second;
  assertEquals(gone, ["a", "b", "c"]);
});

Deno.test("those who wait can fail, and the next ones go on", async () => {
  const condition = new Condition();
  condition.fail(new Error("for nobody"));
  const failed = [condition.wait(), condition.wait()]
    .map((waiting) => assertRejects(() => waiting, Error, "closed"));
  condition.fail(new Error("closed"));
  await Promise.all(failed);
  // Nobody looks at this promise any more: that it is rejected is no error of the program.
  void condition.wait();
  condition.fail(new Error("unheard"));
  const next = condition.wait();
  condition.notify();
  await next;
});
