/** Who stores little does not wait for who floods a stream; what one connection stores stays in order. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { AppendOrder } from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import {
  type Waiting,
  WaitingOrders,
} from "../../../../lib/pubsub/broker/streams/sqlite/waiting_orders.ts";
import { frameOf, framesIn, publication } from "./support.ts";

const MAX_COST = 800_000;
const PURGE = { kind: "purge", name: "s", beforeSeq: undefined, topic: undefined } as const;

function newOrders(): WaitingOrders {
  return new WaitingOrders({ isAwaited: () => false, figuresOf: () => undefined }, MAX_COST);
}

/** The `msg-id` of each publication in a batch; `purge` for a purge. */
function namesIn(batch: readonly Waiting[]): string[] {
  return batch.flatMap(({ order }) =>
    order.kind !== "append"
      ? [order.kind]
      : framesIn((order as AppendOrder).frames).map(({ header }) => header["msg-id"] as string)
  );
}

Deno.test("a flood keeps others waiting for one commit, and they need not wait for room", () => {
  const orders = newOrders();
  let flooded = 0;
  for (; orders.room(1, 1_000) === undefined; flooded++) {
    orders.append("s", frameOf(publication("s.a", "x".repeat(900), { "msg-id": "flood" })), 1);
  }
  const alone = orders.take();
  assert(namesIn(alone).length > flooded / 3, "one alone is written in large commits");
  assertEquals(orders.room(2, 1_000), undefined);
  orders.append("s", frameOf(publication("s.a", "x", { "msg-id": "little" })), 2);
  const [first, ...others] = namesIn(orders.take());
  assertEquals(first, "little");
  assert(others.length > 0 && others.length < flooded / 3, `${others.length} of ${flooded}`);
  assert(orders.room(1, 1_000), "what is being written takes room");
  alone.forEach((each) => orders.done(each));
  assertEquals(orders.room(1, 1_000), undefined);
});

/** A publication of one of these connections and of this size, a purge, or a commit. */
const STEP = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom(10, 9_000, 40_000)) },
  { weight: 1, arbitrary: fc.constant("purge" as const) },
  { weight: 3, arbitrary: fc.constant("take" as const) },
);

Deno.test("no publication overtakes one of its connection, nor a purge that came before it", () => {
  fc.assert(
    fc.property(fc.array(STEP, { minLength: 20, maxLength: 60 }), (steps) => {
      const orders = newOrders();
      const asked: string[] = [];
      const handed: string[] = [];
      const busy: Waiting[] = [];
      const take = () => {
        busy.splice(0).forEach((each) => orders.done(each));
        busy.push(...orders.take());
        handed.push(...namesIn(busy));
      };
      for (const step of steps) {
        if (step === "take") take();
        else if (step === "purge") {
          asked.push("purge");
          orders.push(PURGE, undefined);
        } else {
          const [owner, size] = step;
          const name = `${owner} ${asked.length}`;
          asked.push(name);
          const fields = { "msg-id": name };
          orders.append("s", frameOf(publication("s.a", "x".repeat(size), fields)), owner);
        }
      }
      while (!orders.isEmpty) take();
      for (const owner of ["1", "2", "3"]) {
        const own = (names: readonly string[]) => names.filter((name) => name[0] === owner);
        assertEquals(own(handed), own(asked));
      }
      const parts = (names: readonly string[]) =>
        names.join().split("purge").map((part) => part.split(",").sort());
      assertEquals(parts(handed), parts(asked));
    }),
    { numRuns: 30 },
  );
});

Deno.test("while retained values find no room, topics to be cleared wait up to a bound, and values always", () => {
  const orders = newOrders();
  const [value, most] = [publication("t", "x"), 100_000];
  const fill = () => {
    for (let i = 0; i < most; i++) if (!orders.retain(`${i}`, undefined)) return i;
    return most;
  };
  assertEquals(fill(), most);
  assert(orders.retain("one more", undefined), "while there is room, all are handed over at once");
  orders.retry = "later";
  assert(orders.isEmpty, "they do not go with anything else");
  assert(!orders.retain("too much", undefined));
  assert(orders.retain("5", value) && orders.retain("5", undefined), "one that waits is replaced");
  assert(orders.retain("a value", value), "what values take is limited elsewhere");
  orders.retry = "next";
  assert(!orders.retain("too much", undefined));
  const batch = orders.take().map(({ order }) => order);
  assert(batch.length > 0 && batch.every(({ kind }) => kind === "retain"));
  // Its topics find no room again, but for one that has a newer value by now.
  orders.retain("0", value);
  for (const order of batch) {
    if (order.kind === "retain") orders.retainAgain(order.topic, order.frame);
  }
  assert(!orders.retain("too much", undefined), "they wait again");
  orders.retry = undefined;
  assert(orders.retain("too much", undefined));
  const written = new Map<string, unknown>();
  while (!orders.isEmpty) {
    for (const { order } of orders.take()) {
      if (order.kind === "retain") written.set(order.topic, order.frame);
    }
  }
  assertEquals([written.size, written.get("0"), written.get("5")], [most + 3, value, undefined]);
});
