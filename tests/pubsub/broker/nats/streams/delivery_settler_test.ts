import { assertEquals } from "@std/assert";
import {
  type ConsumerHost,
  DeliverySettler,
  type SettledConsumer,
} from "../../../../../lib/pubsub/broker/nats/streams/delivery_settler.ts";

Deno.test("what gateways give back to each other without having members does not come at once", async () => {
  const told: string[] = [];
  const connection = {
    isClosed: () => false,
    publish: (reply: string, what: Uint8Array) =>
      told.push(`${reply} ${new TextDecoder().decode(what)}`),
  };
  let work: Promise<void> | undefined;
  const host = {
    link: { connected: true, connection },
    knownFirst: () => 1,
    busy: (each: Promise<void>) => work = each,
  };
  const uncounted: Record<string, number> = {};
  const record = {
    state: { uncounted },
    uncount: (keys: readonly number[]) => {
      for (const key of keys) uncounted[key] = (uncounted[key] ?? 0) + 1;
      return Promise.resolve();
    },
  };
  const settler = new DeliverySettler(
    host as unknown as ConsumerHost,
    { record, stream: "s" } as unknown as SettledConsumer,
  );
  const giveBack = async (keys: number[]) => {
    told.length = 0;
    settler.giveBackUncounted(keys, keys.map((key) => `reply.${key}`));
    await work;
    return told;
  };
  const later = '-NAK {"delay":500000000}';
  assertEquals(await giveBack([1, 2]), ["reply.1 -NAK", "reply.2 -NAK"]);
  assertEquals(await giveBack([2, 3]), [`reply.2 ${later}`, "reply.3 -NAK"]);
  assertEquals(await giveBack([2]), [`reply.2 ${later}`]);
});
