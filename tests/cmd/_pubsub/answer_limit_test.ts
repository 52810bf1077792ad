import { assertEquals, assertRejects } from "@std/assert";
import { AnswerLimit } from "../../../cmd/_pubsub/answer_limit.ts";
import { PubSubError } from "../../../lib/pubsub/client/pubsub_error.ts";
import { deadline } from "../../support/deadline.ts";

const SERVER = { name: "127.0.0.1:5635" };
const LIMIT_MS = 20;
const NEVER = new Promise<never>(() => {});

/** Waits for work that is done at the third ping, from a broker that does this at each. */
async function thirdPing(answer: (limit: AnswerLimit) => Promise<void>): Promise<number> {
  const work = Promise.withResolvers<string>();
  let pings = 0;
  const limit: AnswerLimit = new AnswerLimit(
    {
      flush() {
        if (++pings === 3) work.resolve("done");
        return answer(limit);
      },
    },
    SERVER,
    LIMIT_MS,
  );
  assertEquals(await deadline(limit.waitLong("stream purge", work.promise)), "done");
  return pings;
}

Deno.test("what takes a broker long is waited for while it answers pings, or sends parts", async () => {
  assertEquals(await thirdPing(() => Promise.resolve()), 3);
  assertEquals(
    await thirdPing((limit) => {
      limit.came();
      return NEVER;
    }),
    3,
  );
  // The connection is lost, and another one is tried: a failure is told by the work itself.
  assertEquals(await thirdPing(() => Promise.reject(new PubSubError("disconnected", "lost"))), 3);
});

Deno.test("a broker that answers nothing in time is given up, and named", async () => {
  const limit = new AnswerLimit({ flush: () => NEVER }, SERVER, LIMIT_MS);
  const waits: readonly ((what: string) => Promise<unknown>)[] = [
    (what) => limit.wait(what, NEVER),
    (what) => limit.waitLong(what, NEVER),
    (what) => limit.ping(what),
  ];
  for (const wait of waits) {
    const error = await deadline(assertRejects(() => wait("stream list"), PubSubError));
    assertEquals(error.code, "timed-out");
    assertEquals(error.message, "127.0.0.1:5635 did not answer stream list in 20 ms");
  }
});

Deno.test("what fails in time fails as it does", async () => {
  const limit = new AnswerLimit({ flush: () => NEVER }, SERVER, 10_000);
  const refused = () => Promise.reject(new PubSubError("no-stream", "There is no stream"));
  await assertRejects(() => limit.wait("x", refused()), PubSubError, "no stream");
  await assertRejects(() => limit.waitLong("x", refused()), PubSubError, "no stream");
  assertEquals(await limit.wait("x", Promise.resolve(1)), 1);
});
