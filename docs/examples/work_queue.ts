/**
 * A work queue: orders are kept until they are done. One that fails is tried again, and one that
 * never works becomes a dead letter, which somebody can look at and send once more.
 * Prints:
 *
 * stored as 3
 * done: crates, lamps after 2 tries
 * dead: 1, because nobody makes unicorns
 */
import { connectBroker, openStreamStore, serveBroker } from "@socktool/socktool/pubsub";

const folder = await Deno.makeTempDir();
{
  await using streams = await openStreamStore(folder);
  await using broker = await serveBroker("127.0.0.1:0", { streams });
  await using client = await connectBroker(broker.address, {
    onError: () => {}, // is told each time a handler throws: a program would log it
  });
  await client.streams.create("orders", { topics: ["orders.>"], keep: "until-acked" });

  let seq = 0;
  for (const [i, goods] of ["crates", "lamps", "unicorns"].entries()) {
    // Sent twice with the same id it would be stored once.
    ({ seq } = await client.publishStored("orders.new", goods, { messageId: `order-${i}` }));
  }
  console.log(`stored as ${seq}`);

  const done: string[] = [];
  const [worked, gaveUp] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  const dead = await client.subscribe("_dead.orders.workers", {
    onMessage: ({ header }) => gaveUp.resolve((header["dead"] as { reason: string }).reason),
  });
  const workers = client.consume("orders", "workers", {
    maxAttempts: 2,
    concurrency: 4,
    // What returns is acknowledged, what throws is given back.
    onMessage(message) {
      const goods = message.text();
      if (goods === "unicorns") throw new Error("nobody makes unicorns");
      if (goods === "lamps" && message.attempt === 1) throw new Error("out of bulbs");
      done.push(message.attempt === 1 ? goods : `${goods} after ${message.attempt} tries`);
      if (done.length === 2) worked.resolve();
    },
  });
  await worked.promise;
  console.log(`done: ${done.sort().join(", ")}`);
  const reason = await gaveUp.promise;
  const { dead: letters } = await client.streams.consumer("orders", "workers");
  console.log(`dead: ${letters}, because ${reason}`);
  await dead.unsubscribe();
  await workers.stop(); // when what they have begun is done
}
await Deno.remove(folder, { recursive: true });
