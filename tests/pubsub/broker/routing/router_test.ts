import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { deliveriesOf, NOBODY, type Route } from "../../../../lib/pubsub/broker/routing/route.ts";
import { Router } from "../../../../lib/pubsub/broker/routing/router.ts";
import { nextMember, pickMember } from "../../../../lib/pubsub/broker/routing/group.ts";
import type { Receiver, Subscription } from "../../../../lib/pubsub/broker/routing/subscription.ts";
import { filterCovers } from "../../../../lib/pubsub/protocol/topic.ts";

/** A connection that takes nothing. */
function receiver(): Receiver {
  return {
    congested: false,
    writtenBytes: 0,
    toldBytes: 0,
    add: () => 0,
    addGrouped: () => 0,
    completed: () => {},
    tooSlow: () => {},
    lost: () => {},
  };
}

/** Who is in a route. */
function membersOf({ subscriptions, groups }: Route) {
  return {
    receivers: new Set(subscriptions.map((subscription) => subscription.receiver)),
    groups: new Set(groups.map(({ name }) => name)),
  };
}

/** Filters of 12 tokens that all match `a.a.…`. */
function manyFilters(): string[] {
  return Array.from(
    { length: 4_096 },
    (_, i) => Array.from({ length: 12 }, (_, bit) => (i >> bit) & 1 ? "*" : "a").join("."),
  );
}

const TOPIC = Array(12).fill("a").join(".");

Deno.test("a group picks by turns among members whose connections have not ended, however many have", () => {
  const router = new Router();
  const members = Array.from({ length: 200 }, (_, i) => {
    const member = { ...receiver(), ended: i % 100 !== 7 };
    router.add("t", "g", "drop-oldest", member);
    return member;
  });
  const group = router.group("t", "g")!;
  const expected = [members[7], members[107]];
  for (let i = 0; i < 4; i++) {
    assertEquals(nextMember(group)?.receiver, expected[i % 2]);
    assertEquals(pickMember(group)?.receiver, expected[i % 2]);
  }
  for (const member of members) member.ended = true;
  assertEquals(pickMember(group), undefined);
});

Deno.test("a route that is searched for in steps is right, whatever changes meanwhile", async () => {
  const filters = manyFilters();
  const step = fc.tuple(fc.nat({ max: 4_200 }), fc.nat({ max: 5 }), fc.boolean(), fc.boolean());
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const router = new Router();
      const receivers = Array.from({ length: 6 }, receiver);
      const held: Subscription[] = filters.map((filter, i) =>
        router.add(filter, undefined, "drop-oldest", receivers[i % 3]!)
      );
      assertEquals(router.find(TOPIC), undefined, "too many to look at in one go");
      const searching = router.search(TOPIC);
      for (const [index, who, remove, grouped] of steps) {
        if (index % 7 === 0) await new Promise((resolve) => setTimeout(resolve));
        const at = index % held.length;
        if (remove) router.remove(held.splice(at, 1)[0]!);
        else {
          const filter = index > 4_096 ? "a.>" : filters[index % 4_096]!;
          const group = grouped ? `g${who}` : undefined;
          held.push(router.add(filter, group, "drop-new", receivers[who]!));
        }
      }
      await searching;
      // It may have ended before the last change.
      while (router.find(TOPIC) === undefined) await router.search(TOPIC);
      const matching = held.filter(({ entry }) => filterCovers(entry.filter, TOPIC));
      const plain = matching.filter(({ group }) => group === undefined);
      assertEquals(membersOf(router.find(TOPIC)!), {
        receivers: new Set(plain.map((subscription) => subscription.receiver)),
        groups: new Set(matching.flatMap(({ group }) => group?.name ?? [])),
      });
    }),
    { numRuns: 10 },
  );
});

Deno.test("filters of one connection that match together count, the more the more there are", () => {
  const router = new Router();
  const [one, other] = [receiver(), receiver()];
  for (const filter of manyFilters().slice(0, 256)) router.add(filter, undefined, "latest", one);
  router.add(TOPIC, undefined, "latest", other);
  const { subscriptions, overlaps } = router.find(TOPIC)!;
  assertEquals(subscriptions.length, 2);
  assertEquals(overlaps, 31);
  assertEquals(subscriptions.map(deliveriesOf).sort(), [1, 33]);
});

Deno.test("what it costs to look for a route is counted by what is looked at", () => {
  const router = new Router();
  const workFor = (topic: string) => {
    router.takeWork();
    assertEquals(router.find(topic), NOBODY);
    return router.takeWork();
  };
  const one = workFor(`${TOPIC}.none`);
  for (const [i, filter] of manyFilters().entries()) {
    // All of them fit up to their last token.
    if (i < 1_024) router.add(`${filter}.last${i}`, undefined, "drop-oldest", receiver());
  }
  const many = workFor(`${TOPIC}.none2`);
  assert(many > 50 * one, `${one} ${many}`);
});
