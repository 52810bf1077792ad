/** Starts a thread without descriptors, and one with: what happens to each is printed. */
import { WorkerThread } from "../../../lib/base/threads/worker_thread.ts";
import { type Order, TALK_ERRORS } from "./talk.ts";

function start(): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const thread = new WorkerThread<Order, unknown>(new URL("./talking_thread.ts", import.meta.url), {
    name: "talking",
    errors: TALK_ERRORS,
    onReport: resolve,
    onDied: ({ message }) => resolve(message),
  });
  thread.post({ type: "say", text: "here" });
  return promise.finally(() => thread.terminate());
}

const told: unknown[] = [await start()];
for (let free = 0; free <= 12; free += 4) {
  const held: Deno.FsFile[] = [];
  try {
    for (;;) held.push(Deno.openSync("/dev/null"));
  } catch {
    // None is left.
  }
  for (const each of held.splice(0, free)) each.close();
  told.push(await start());
  for (const each of held) each.close();
}
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(told)));
