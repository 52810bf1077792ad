import { assert, assertEquals } from "@std/assert";
import { sleep } from "../../lib/base/sleep.ts";
import { deadline } from "../support/deadline.ts";

Deno.test("sleep() waits as long as it is told, and keeps no listener", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  signal.addEventListener = () => void listeners++;
  signal.removeEventListener = () => void listeners--;
  const before = performance.now();
  await deadline(sleep(5, signal));
  assert(performance.now() - before >= 4);
  assertEquals(listeners, 0);
});

Deno.test("sleep() ends when the signal is aborted, however long it was to be", async () => {
  for (const ms of [60_000, 2 ** 31, 1e15, Infinity]) {
    const controller = new AbortController();
    let aborted = false;
    const ended = sleep(ms, controller.signal).then(() => aborted);
    // A timer of 1 ms, which is what too long a time becomes, would fire before this one.
    await sleep(5, new AbortController().signal);
    aborted = true;
    controller.abort();
    assert(await deadline(ended), `${ms} ms`);
  }
});

Deno.test("sleep() does not wait for a signal that is aborted already", async () => {
  await deadline(sleep(60_000, AbortSignal.abort()));
});
