import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SLOW_POLICIES, type SlowPolicy } from "../../../../lib/pubsub/mod.ts";
import { LatestMessages } from "../../../../lib/pubsub/client/receiving/latest_messages.ts";
import { MissedTally } from "../../../../lib/pubsub/client/receiving/missed_publications.ts";
import {
  OrderedMessages,
  WaitingBounds,
  type WaitingMessages,
} from "../../../../lib/pubsub/client/receiving/waiting_messages.ts";
import { makeMessage } from "../support.ts";

function make(slow: SlowPolicy, most: number): WaitingMessages {
  const bounds = new WaitingBounds(most, Infinity);
  return slow === "latest" ? new LatestMessages(bounds) : new OrderedMessages(slow, bounds);
}

/** Takes what waits: the texts of messages, and how many were left out by what reason. */
function taken(waiting: WaitingMessages): (string | Record<string, number | null>)[] {
  const items: (string | Record<string, number | null>)[] = [];
  for (let item = waiting.shift(); item; item = waiting.shift()) {
    if (item instanceof MissedTally) {
      items.push(
        Object.fromEntries(Array.from(item.told("t"), ({ reason, count }) => [reason, count])),
      );
    } else items.push(item.text());
  }
  return items;
}

Deno.test("what is above the bounds is left out by the policy, and told in its place", () => {
  const table: [SlowPolicy, ReturnType<typeof taken>][] = [
    ["drop-oldest", [{ slow: 3 }, "3", "4"]],
    ["drop-new", ["0", "1", { slow: 3 }]],
    ["disconnect", ["0", "1"]],
    ["block", ["0", "1", "2", "3", { slow: 1 }]],
    ["latest", [{ slow: 3 }, "3", "4"]],
  ];
  for (const [slow, expected] of table) {
    const waiting = make(slow, 2);
    for (let i = 0; i < 5; i++) {
      const goesOn = waiting.push(makeMessage(String(i), { topic: `t.${i}` }));
      assertEquals(goesOn, slow !== "disconnect" || i < 2);
    }
    assertEquals(taken(waiting), expected, slow);
  }
});

Deno.test("with latest, of each topic only the newest waits, in the place of the first", () => {
  const waiting = make("latest", 100);
  for (const [topic, text] of ["a1", "b1", "a2", "c1", "a3"]) {
    waiting.push(makeMessage(text!, { topic: topic! }));
  }
  assertEquals(taken(waiting), [{ slow: 2 }, "3", "1", "1"]);
});

Deno.test("what the broker left out keeps its place, unless what follows is left out too", () => {
  const waiting = make("drop-oldest", 2);
  waiting.push(makeMessage("0"));
  waiting.pushMissed("slow", 5, 50);
  waiting.pushMissed("too-large", 1, 1_000);
  waiting.pushMissed("disconnected", null, null);
  waiting.push(makeMessage("1"));
  assertEquals(taken(waiting), ["0", { slow: 5, "too-large": 1, disconnected: null }, "1"]);
  for (const text of ["0", "1"]) waiting.push(makeMessage(text));
  waiting.pushMissed("slow", 5, 50);
  for (const text of ["2", "3"]) waiting.push(makeMessage(text));
  assertEquals(taken(waiting), [{ slow: 7 }, "2", "3"]);
});

Deno.test("nothing is lost untold, whatever the policy and the order of pushing and taking", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("a", "b", "c") },
    fc.constant(null),
    fc.integer({ min: 1, max: 9 }),
  );
  const slow = fc.constantFrom(...SLOW_POLICIES.filter((policy) => policy !== "disconnect"));
  fc.assert(
    fc.property(slow, fc.integer({ min: 1, max: 5 }), fc.array(step), (policy, most, steps) => {
      const waiting = make(policy, most);
      let pushed = 0, missed = 0, received = 0, count = 0;
      const newest = new Map<string, number>();
      const note = (item: ReturnType<WaitingMessages["shift"]>) => {
        if (item === undefined) return;
        if (item instanceof MissedTally) {
          for (const told of item.told("t")) missed += told.count!;
          return;
        }
        received++;
        const number = Number(item.text());
        assert(number > (newest.get(item.topic) ?? -1), "each topic keeps its order");
        newest.set(item.topic, number);
      };
      for (const one of steps) {
        if (typeof one === "string") {
          pushed++;
          waiting.push(makeMessage(String(count++), { topic: one }));
        } else if (one === null) note(waiting.shift());
        else {
          pushed += one;
          waiting.pushMissed("slow", one, 1);
        }
        const waits = [...waiting.messages()].length;
        assert(waits <= (policy === "block" ? 2 * most : most));
        if (waits >= most) assert(waiting.isFull);
        if (waits < most / 2) assert(!waiting.isFull);
      }
      for (let item = waiting.shift(); item; item = waiting.shift()) note(item);
      assertEquals(received + missed, pushed);
      assert(!waiting.isFull);
    }),
    { numRuns: 300 },
  );
});
