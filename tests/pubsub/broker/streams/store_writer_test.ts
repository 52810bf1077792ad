/** What is stored while a commit runs is stored by the next one, once and in its order. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { StreamError } from "../../../../lib/pubsub/broker/streams/stream_error.ts";
import { openStreamStore } from "../../../../lib/pubsub/broker/streams/sqlite/sqlite_stream_store.ts";
import { deadline } from "../../../support/deadline.ts";
import { soakSize } from "../../../support/soak_size.ts";
import { frameOf, publication, UNLIMITED } from "./support.ts";

/**
 * Publications that one connection stores in one go, how large each is; a stream is purged, or looked at by
 * an order in between; time passes.
 */
const STEP = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      owner: fc.integer({ min: 1, max: 3 }),
      stream: fc.constantFrom("a", "b"),
      count: fc.constantFrom(1, 2, 50),
      bytes: fc.constantFrom(1, 1_000, 50_000),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom("purge" as const, "update" as const) },
  { weight: 3, arbitrary: fc.constantFrom("microtask" as const, "turn" as const) },
);

Deno.test("what comes in whatever pieces while commits run is stored once, in the order of each connection", async () => {
  const folder = await Deno.makeTempDir({ prefix: "socktool-" });
  try {
    await using store = await openStreamStore(`${folder}/store`);
    const ignored = () => {};
    let alone = 0;
    store.events = {
      // By turns: it sleeps until some of the publications are stored, and does not.
      isAlone: () => ++alone % 4 !== 0,
      topicsChanged: ignored,
      deadLetter: ignored,
      retainedWaits: ignored,
      failed: ignored,
    };
    const topics = { a: "a", b: "b" } as const;
    for (const [name, topic] of Object.entries(topics)) {
      await store.create(name, { ...UNLIMITED, topics: [topic] });
    }
    const lastSeqs: Record<string, number> = { a: 0, b: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 10, maxLength: 40 }), async (steps) => {
        const seqs: Record<string, number[]> = {};
        const done: Promise<unknown>[] = [];
        for (const step of steps) {
          if (step === "purge") done.push(store.purge("a", undefined, undefined));
          else if (step === "update") done.push(store.update("a", {}));
          else if (step === "microtask") await undefined;
          else if (step === "turn") await new Promise((resolve) => setTimeout(resolve, 0));
          else {
            const { owner, stream, count, bytes } = step;
            const frame = frameOf(publication(stream, "x".repeat(bytes)));
            for (let i = 0; i < count; i++) {
              const { promise, resolve, reject } = Promise.withResolvers<void>();
              done.push(promise);
              store.append(stream, frame, owner, (outcome) => {
                if (outcome instanceof StreamError) return reject(outcome);
                (seqs[`${stream} of ${owner}`] ??= []).push(outcome.seq);
                resolve();
              });
            }
          }
        }
        await deadline(Promise.all(done), "all to be stored");
        for (const stream of Object.keys(topics)) {
          const all = Object.keys(seqs).filter((key) => key.startsWith(stream));
          for (const key of all) assertEquals(seqs[key], seqs[key]!.toSorted((a, b) => a - b));
          const stored = all.flatMap((key) => seqs[key]!).sort((a, b) => a - b);
          assertEquals(stored, stored.map((_, i) => lastSeqs[stream]! + 1 + i));
          lastSeqs[stream]! += stored.length;
        }
      }),
      { numRuns: soakSize(12, 30) },
    );
    assert(lastSeqs.a! > 0 && lastSeqs.b! > 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
