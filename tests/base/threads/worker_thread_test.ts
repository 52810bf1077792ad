import { assert, assertEquals } from "@std/assert";
import { redirectErrors } from "../../../lib/base/report.ts";
import { WorkerThread } from "../../../lib/base/threads/worker_thread.ts";
import { deadline } from "../../support/deadline.ts";
import { Program } from "../../support/programs.ts";
import { type Order, TALK_ERRORS, TalkError, talkError } from "./talk.ts";

const TALKING = new URL("./talking_thread.ts", import.meta.url);

/** A thread, and what happens to it. */
function start(url = TALKING) {
  const events: unknown[] = [];
  let wake = () => {};
  const happened = (event: unknown) => {
    events.push(event);
    wake();
  };
  const thread = new WorkerThread<Order, unknown>(url, {
    name: "talking",
    errors: TALK_ERRORS,
    onReport: happened,
    onDied: happened,
  });
  return {
    thread,
    events,
    async until(count: number) {
      while (events.length < count) {
        await deadline(new Promise<void>((resolve) => wake = resolve), `event ${count}`);
      }
    },
    [Symbol.dispose]: () => thread.terminate(),
  };
}

Deno.test("a thread takes orders from before it was loaded, and reports in order", async () => {
  using talk = start();
  const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
  for (const text of texts) talk.thread.post({ type: "say", text });
  await talk.until(100);
  assertEquals(talk.events, texts);
});

for (const type of ["throw", "reject", "throw later", "reject later"] as const) {
  Deno.test(`a thread that is told to ${type} dies, and the error arrives as it was`, async () => {
    using talk = start();
    talk.thread.post({ type: "say", text: "before" });
    talk.thread.post({ type });
    await talk.until(2);
    const [before, error] = talk.events;
    assertEquals(before, "before");
    assert(error instanceof TalkError && error.cause instanceof RangeError);
    const expected = talkError();
    assertEquals({ ...error }, { ...expected });
    assertEquals([error.message, error.cause.message], ["told to fail", "behind it"]);
    assert(error.stack?.includes("talking_thread.ts"), error.stack);
  });
}

Deno.test("memory goes to the thread and back without being copied", async () => {
  using talk = start();
  const bytes = Uint8Array.of(1, 2, 3);
  talk.thread.post({ type: "hand back", bytes }, [bytes.buffer]);
  assertEquals(bytes.length, 0);
  await talk.until(2);
  assertEquals(talk.events, [Uint8Array.of(1, 2, 3), "0 bytes left"]);
});

Deno.test("a thread that reports what cannot be cloned dies of that", async () => {
  using talk = start();
  talk.thread.post({ type: "report what is none" });
  await talk.until(1);
  assert(talk.events[0] instanceof DOMException);
  assertEquals(talk.events[0].name, "DataCloneError");
});

Deno.test("a thread whose module cannot be loaded dies", async () => {
  using talk = start(new URL("./no_such_thread.ts", import.meta.url));
  await talk.until(1);
  assert(talk.events[0] instanceof Error);
});

Deno.test("nothing comes from a thread after it died or was ended, and it takes no order", async () => {
  using dead = start();
  dead.thread.post({ type: "flood" });
  dead.thread.post({ type: "throw" });
  await dead.until(1);
  while (!(dead.events.at(-1) instanceof Error)) await dead.until(dead.events.length + 1);
  using ended = start();
  ended.thread.post({ type: "flood" });
  await ended.until(1);
  ended.thread.terminate();
  ended.thread.terminate();
  const counts = [dead, ended].map(({ events }) => events.length);
  for (const { thread } of [dead, ended]) thread.post({ type: "say", text: "too late" });
  // Another thread's whole life: what was on its way from those would have come.
  using other = start();
  other.thread.post({ type: "say", text: "other" });
  await other.until(1);
  assertEquals([dead, ended].map(({ events }) => events.length), counts);
});

Deno.test("errors that nobody in a thread listens to are reported where it was started", async () => {
  const reported: unknown[] = [];
  const both = Promise.withResolvers<void>();
  using _ = redirectErrors((error, what) => {
    reported.push(what, error);
    if (reported.length === 4) both.resolve();
  });
  using talk = start();
  for (const text of ["A callback failed", "Another failed"]) {
    talk.thread.post({ type: "lose an error", text });
  }
  await deadline(both.promise);
  assertEquals([reported[0], reported[2]], ["A callback failed", "Another failed"]);
  for (const error of [reported[1], reported[3]]) {
    assert(error instanceof TalkError);
    assertEquals([error.code, error.message], ["talk", "told to fail"]);
  }
  talk.thread.post({ type: "say", text: "alive" });
  await talk.until(1);
});

Deno.test({
  name: "a thread for which no descriptor is left dies, and its process goes on",
  ignore: Deno.build.os === "windows",
  async fn() {
    const program = new URL("./start_without_descriptors.ts", import.meta.url).pathname;
    await using running = new Program(["run", "-A", program], { openFiles: 96 });
    const { code, out, err } = await deadline(running.finished());
    const none = "it could not start: no file descriptor is left";
    assertEquals([code, JSON.parse(out)], [0, ["here", none, none, none, "here"]], err);
  },
});
