import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ErrorCodec } from "../../../lib/base/threads/error_codec.ts";
import { AskingEnd, type LineMemory } from "../../../lib/base/threads/shared_line.ts";
import { WorkerThread } from "../../../lib/base/threads/worker_thread.ts";
import { deadline } from "../../support/deadline.ts";

/** A thread at the other end of a line. */
function start() {
  const end = new AskingEnd(64, 64);
  const reports: unknown[] = [];
  let wake = () => {};
  const happened = (event: unknown) => {
    reports.push(event);
    wake();
  };
  const thread = new WorkerThread<LineMemory | number, number | string>(
    new URL("./answering_thread.ts", import.meta.url),
    { name: "answering", errors: new ErrorCodec(), onReport: happened, onDied: happened },
  );
  const post = (order: LineMemory | number) => {
    thread.post(order);
    end.posted();
  };
  post(end.line);
  return {
    reports,
    post,
    async ask(request: Uint8Array): Promise<number[]> {
      end.request.set(request);
      const answers = reports.length;
      end.ask(request.length);
      await this.reported(() => reports.includes("answered", answers));
      return [...end.answer];
    },
    async reported(isEnough: () => boolean) {
      while (!isEnough()) await deadline(new Promise<void>((done) => wake = done), "a report");
    },
    [Symbol.dispose]: () => thread.terminate(),
  };
}

Deno.test("a thread that sleeps is woken by requests and messages, in whatever order they come", async () => {
  using line = start();
  const posted: number[] = [];
  const steps = fc.array(
    fc.oneof(
      fc.record({ post: fc.nat() }),
      fc.record({ ask: fc.uint8Array({ maxLength: 64 }), post: fc.option(fc.nat()) }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      for (const step of all) {
        if (step.post !== null) {
          posted.push(step.post);
          line.post(step.post);
        }
        if ("ask" in step) assertEquals(await line.ask(step.ask), [...step.ask].reverse());
      }
      const numbers = () => line.reports.filter((report) => typeof report === "number");
      await line.reported(() => numbers().length === posted.length);
      assertEquals(numbers(), posted);
    }),
    { numRuns: 20 },
  );
});

Deno.test("a request from before the thread was loaded is answered, and it wakes when its time is up", async () => {
  using line = start();
  assertEquals(await line.ask(Uint8Array.of(1, 2, 3)), [3, 2, 1]);
  await line.reported(() => line.reports.filter((report) => report === "nobody asks").length >= 2);
  assertEquals(await line.ask(Uint8Array.of(4)), [4]);
  line.post(7);
  await line.reported(() => line.reports.includes(7));
});
