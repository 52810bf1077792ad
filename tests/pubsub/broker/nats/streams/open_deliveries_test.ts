import { assertEquals } from "@std/assert";
import { OpenDeliveries } from "../../../../../lib/pubsub/broker/nats/streams/open_deliveries.ts";
import type { OpenDelivery } from "../../../../../lib/pubsub/broker/nats/streams/open_delivery.ts";
import { until } from "../../../../support/deadline.ts";

Deno.test("of deliveries whose time is up, one that another has ended is not told of", async () => {
  const member = { owner: 1, open: 0 };
  const dueAt = performance.now();
  const deliver = (number: number, seq: number, due: number) => {
    const delivery: OpenDelivery = {
      ...{ number, seq, time: 0, attempt: 1, reply: "", letter: undefined, member, takenAt: 0 },
      dueAt: due,
    };
    member.open++;
    open.add(delivery);
  };
  const told: number[] = [];
  const open: OpenDeliveries = new OpenDeliveries((delivery) => {
    told.push(delivery.number);
    open.remove(delivery);
    // There is room for the next, which is the second message once more.
    open.removeOf(2);
    deliver(3, 2, Infinity);
  });
  deliver(1, 1, dueAt);
  deliver(2, 2, dueAt);
  await until(() => told.length > 0, "the first is told of");
  assertEquals([told, member.open], [[1], 1]);
  assertEquals(open.all.map(({ number }) => number), [3]);
  open.clear();
  assertEquals(member.open, 0);
});
