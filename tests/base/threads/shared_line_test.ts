import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ErrorCodec } from "../../../lib/base/threads/error_codec.ts";
import { AnsweringEnd, AskingEnd, type LineMemory } from "../../../lib/base/threads/shared_line.ts";
import { WorkerThread } from "../../../lib/base/threads/worker_thread.ts";
import { deadline } from "../../support/deadline.ts";

/** What the thread does with requests that begin with these, see there. */
const [LATE, TELLS, SLOW] = [255, 254, 253];

const LONG_MS = 10_000;

/** A thread at the other end of a line. */
function start(places?: number) {
  const end = new AskingEnd(64, 64, places);
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
      const answers = reports.length;
      this.send(request);
      await this.reported(() => reports.includes("answered", answers));
      return this.next();
    },
    send(request: Iterable<number>) {
      const bytes = Uint8Array.from(request);
      end.request.set(bytes);
      end.ask(bytes.length);
    },
    takeBack: () => end.takeBack(),
    isAnswered: () => end.isAnswered,
    /** The oldest answer. */
    next(): number[] {
      const answer = [...end.answer];
      end.free();
      return answer;
    },
    /** The answer, if it comes without a message. */
    take(request: readonly number[], timeoutMs: number): number[] | undefined {
      end.request.set(request);
      end.ask(request.length, true);
      return end.takeAnswer(timeoutMs) ? this.next() : undefined;
    },
    heard: () => end.heard(),
    count: (report: string) => reports.filter((each) => each === report).length,
    async reported(isEnough: () => boolean) {
      const waitForAll = async () => {
        while (!isEnough()) await new Promise<void>((done) => wake = done);
      };
      await deadline(waitForAll(), "a report");
    },
    /** Posts what has the late request answered. It would come first, so the thread must have that by then. */
    async postAfterLate(number: number) {
      await this.reported(() => this.count("late") === 1);
      post(number);
    },
    [Symbol.dispose]: () => thread.terminate(),
  };
}

Deno.test("a thread that sleeps is woken by requests and messages, in whatever order they come", async () => {
  using line = start();
  const posted: number[] = [];
  const plain = fc.uint8Array({ maxLength: 64, max: SLOW - 1 });
  const steps = fc.array(
    fc.oneof(
      fc.record({ post: fc.nat() }),
      fc.record({ ask: plain, post: fc.option(fc.nat()) }),
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

Deno.test("an answer that is waited for comes without a message, if it is in time and no message is before it", async () => {
  using line = start();
  assertEquals(await line.ask(Uint8Array.of(1)), [1]);
  for (let i = 0; i < 100; i++) assertEquals(line.take([i, 2, 3], LONG_MS), [3, 2, i]);
  assertEquals(line.take([LATE, 2], 1), undefined);
  await line.postAfterLate(7);
  await line.reported(() => line.count("answered") === 2);
  assertEquals(line.next(), [2, LATE]);
  assertEquals(line.take([4, 5], LONG_MS), [5, 4]);
  assertEquals(line.take([TELLS, 6], LONG_MS), undefined);
  await line.reported(() => line.count("answered") === 3);
  assertEquals(line.isAnswered(), false, "a message comes first");
  assertEquals([line.count("told"), line.next()], [1, [6, TELLS]]);
  // Whoever takes an answer does not know that the message before it was received.
  assertEquals(line.take([8, 9], LONG_MS), undefined);
  await line.reported(() => line.count("answered") === 4);
  line.heard();
  assertEquals(line.next(), [9, 8]);
  assertEquals(line.take([8, 9], LONG_MS), [9, 8]);
  assertEquals(line.count("answered"), 4);
});

Deno.test("a request behind another is answered as it was asked last", async () => {
  using line = start(2);
  let takenBack = 0;
  for (let i = 1; i <= 100; i++) {
    line.send([SLOW, i]);
    line.send([1, i]);
    const pauses = i % 3;
    for (let j = 0; j < pauses; j++) await new Promise((resolve) => setTimeout(resolve, 0));
    const isTaken = line.takeBack();
    if (isTaken) line.send([2, 3, i]);
    takenBack += Number(isTaken);
    await line.reported(() => line.count("answered") === 2 * i);
    assert(line.isAnswered());
    assertEquals([line.next(), line.next()], [[i, SLOW], isTaken ? [i, 3, 2] : [i, 1]]);
    assertEquals(line.takeBack(), false);
  }
  assert(takenBack > 0);
});

Deno.test("the older of two answers is waited for, whether it is there before or not", async () => {
  using line = start(2);
  assertEquals(await line.ask(Uint8Array.of(1)), [1]);
  for (let i = 1; i <= 100; i++) {
    const [first, second] = [i % 2 === 0 ? SLOW : 1, i % 4 < 2 ? SLOW : 2];
    line.send([first, i]);
    if (i % 3 === 0) await line.reported(line.isAnswered);
    assertEquals(line.take([second, i, 3], LONG_MS), [i, first]);
    // A message may tell of it.
    await line.reported(line.isAnswered);
    assertEquals(line.next(), [3, i, second]);
  }
  line.send([1]);
  await line.reported(line.isAnswered);
  assertEquals(line.take([LATE, 2], LONG_MS), [1], "the other one is not waited for");
  await line.postAfterLate(7);
  await line.reported(line.isAnswered);
  assertEquals(line.next(), [2, LATE]);
});

Deno.test("a message that is received before it is counted as posted leaves the thread where requests come", () => {
  const asking = new AskingEnd(8, 8);
  const answering = new AnsweringEnd(asking.line);
  answering.received();
  assertEquals([answering.isCalled, answering.wait(1)], [false, "timed-out"]);
  asking.ask(0);
  assertEquals([answering.isCalled, answering.wait(1)], [true, "asked"]);
  answering.answered(0);
  asking.posted();
  assertEquals([answering.isCalled, answering.wait(1)], [false, "timed-out"]);
  asking.posted();
  assertEquals([answering.isCalled, answering.wait(1)], [true, "posted"]);
});

Deno.test("an answer that was taken before its thread has told of it is not told as the next one's", () => {
  const asking = new AskingEnd(8, 8, 2);
  const answering = new AnsweringEnd(asking.line);
  asking.ask(0);
  assertEquals(answering.wait(1), "asked");
  // The thread is interrupted in the middle of `answered`, where the answer is there already.
  asking.free();
  asking.ask(0, true);
  assertEquals(answering.answered(0), false);
  assertEquals(answering.wait(1), "asked");
  assertEquals([answering.answered(0), asking.takeAnswer(1)], [true, true]);
});
