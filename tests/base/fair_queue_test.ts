import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FairQueue, QueueFullError } from "../../lib/base/fair_queue.ts";

/** Tasks that end when they are told to, and the order in which they began. */
class Tasks {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  named(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
    };
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    // The place of a task is handed on in the turns that follow its end.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

Deno.test("keys take turns, however many tasks one of them has", async () => {
  const queue = new FairQueue({ atOnce: 2, maxWaiting: 100, maxWaitingPerKey: 100 });
  const tasks = new Tasks();
  const names = [..."123456"].map((n) => `flood${n}`);
  const all = [...names, "right"].map((name) =>
    queue.run(name.replace(/\d/, ""), tasks.named(name))
  );
  assertEquals(tasks.begun, ["flood1", "flood2"]);
  await tasks.end("flood1");
  await tasks.end("flood2");
  assertEquals(tasks.begun, ["flood1", "flood2", "flood3", "right"]);
  for (const name of [...tasks.begun.slice(2), "flood4", "flood5", "flood6"]) {
    await tasks.end(name);
  }
  assertEquals((await Promise.all(all)).sort(), [...names, "right"].sort());
  assertEquals(queue.waiting, 0);
});

Deno.test("who leaves makes room at once and is never run", async () => {
  const queue = new FairQueue({ atOnce: 1, maxWaiting: 2, maxWaitingPerKey: 2 });
  const tasks = new Tasks();
  const leaving = new AbortController();
  const first = queue.run("a", tasks.named("first"));
  const left = queue.run("b", tasks.named("left"), leaving.signal);
  const stays = queue.run("c", tasks.named("stays"));
  await assertRejects(() => queue.run("d", tasks.named("none")), QueueFullError);
  leaving.abort(new Error("gone"));
  await assertRejects(() => left, Error, "gone");
  const last = queue.run("d", tasks.named("last"));
  for (const name of ["first", "stays", "last"]) await tasks.end(name);
  await Promise.all([first, stays, last]);
  assertEquals(tasks.begun, ["first", "stays", "last"]);
});

Deno.test("one key cannot fill the queue, and a task that fails hands its place on", async () => {
  const queue = new FairQueue({ atOnce: 1, maxWaiting: 3, maxWaitingPerKey: 1 });
  const failed = queue.run("a", () => Promise.reject(new Error("broken")));
  const second = queue.run("a", () => Promise.resolve(2));
  await assertRejects(() => queue.run("a", () => Promise.resolve(3)), QueueFullError);
  const other = queue.run("b", () => Promise.resolve(4));
  await assertRejects(() => failed, Error, "broken");
  assertEquals([await second, await other], [2, 4]);
});

Deno.test("never more at once than may be, and all that were taken are run", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat({ max: 3 })), { maxLength: 40 }),
    fc.integer({ min: 1, max: 3 }),
    async (steps, atOnce) => {
      const queue = new FairQueue({ atOnce, maxWaiting: 20, maxWaitingPerKey: 10 });
      let running = 0;
      let done = 0;
      const outcomes = await Promise.allSettled(
        steps.map(([key, turns]) =>
          queue.run(key, async () => {
            assert(++running <= atOnce);
            for (let i = 0; i < turns; i++) await Promise.resolve();
            running--;
            done++;
          })
        ),
      );
      const refused = outcomes.filter(({ status }) => status === "rejected").length;
      assertEquals([running, queue.waiting, done + refused], [0, 0, steps.length]);
    },
  ));
});
