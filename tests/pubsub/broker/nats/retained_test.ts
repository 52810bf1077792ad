import { assert, assertEquals } from "@std/assert";
import { type BrokerClient, connectBroker } from "../../../../lib/pubsub/mod.ts";
import { connect, type Msg } from "@nats-io/transport-node";
import { until } from "../../../support/deadline.ts";
import { NatsServer } from "../../../support/nats.ts";
import { RawClient } from "../../../support/peers.ts";
import { codeOf } from "../../client/support.ts";
import { RawPeer } from "../../support.ts";
import { Gateway, nextOf } from "./support.ts";

const JETSTREAM = 'jetstream { store_dir: "$DIR/js" }\n';

/** A gateway that can retain. */
async function retaining(url: string): Promise<Gateway> {
  const gateway = await Gateway.start(url);
  await using client = await gateway.client();
  await until(async () =>
    await codeOf(client.publishConfirmed("ready", "", { retain: true })) === "done"
  );
  return gateway;
}

Deno.test("retained values are everywhere, and survive every gateway and NATS itself", async () => {
  await using server = await NatsServer.start("retained values", { config: JETSTREAM });
  if (server === undefined) return;
  {
    await using one = await retaining(server.url);
    await using other = await retaining(server.url);
    await using left = await one.client();
    await using right = await other.client();
    await using live = await right.subscribe("config.*");
    const bytes = new Uint8Array([0xff, 0]);
    await left.publishConfirmed("config.a", "1", { retain: true, fields: { n: 1 } });
    await left.publishConfirmed("config.b", bytes, { retain: true });
    await left.publishConfirmed("config.c", "gone", { retain: true });
    for (const text of ["1", undefined, "gone"]) {
      const message = await nextOf(live);
      if (text) assertEquals(message.text(), text);
      assertEquals([message.header["retain"], message.retained], [true, false]);
    }
    await right.publishConfirmed("config.c", "", { retain: true });
    assertEquals((await nextOf(live)).content.length, 0);
    // What was confirmed is there for whoever subscribes after that, at any gateway.
    await using client = await other.client();
    for (let i = 0; i < 20; i++) {
      await left.publishConfirmed("config.a", String(i), { retain: true, fields: { n: 1 } });
      // A client hands what comes by one of its filters to all that match: so it is another client.
      await using late = await client.subscribe("config.a");
      const message = await nextOf(late);
      assertEquals([message.text(), message.retained, message.header["n"]], [String(i), true, 1]);
    }
    const refused = new Uint8Array(2_000_000);
    assertEquals(
      await codeOf(left.publishConfirmed("config.x", refused, { retain: true })),
      "frame-too-large",
    );
  }
  await server.kill();
  await server.restart();
  await using third = await retaining(server.url);
  await using client = await connectBroker(third.broker.address);
  await using all = await client.subscribe("config.*");
  const got = [await nextOf(all), await nextOf(all)].map((
    { topic, content },
  ) => [topic, content.length]);
  assertEquals(got.toSorted(), [["config.a", 2], ["config.b", 2]]);
  assertEquals(third.broker.stats().retained, 2);
});

Deno.test("the last value is the one that was confirmed last, also if an older one comes late", async () => {
  await using server = await NatsServer.start("late retained values", { config: JETSTREAM });
  if (server === undefined) return;
  await using one = await retaining(server.url);
  await using other = await retaining(server.url);
  await using left = await one.client();
  await using right = await other.client();
  await using beside = await one.client();
  const nats = await connect({ servers: server.servers });
  const late: Msg[] = [];
  nats.subscribe("_socktool.retained.t", { callback: (_, message) => void late.push(message) });
  await nats.flush();
  const retain = (client: BrokerClient, text: string) =>
    client.publishConfirmed("t", text, { retain: true });
  await retain(left, "old");
  await retain(right, "newer");
  // As if a server had held it back.
  for (const { subject, data, headers } of late.slice()) {
    const answer = await nats.request(subject, data, { headers: headers!, timeout: 10_000 });
    assertEquals(answer.json<{ error: { err_code: number } }>().error.err_code, 10_071);
  }
  // All at once, each knowing of the others' late: none is refused.
  const both = [left, beside, right].flatMap((client) =>
    Array.from({ length: 20 }, (_, i) => retain(client, `${i}`))
  );
  await Promise.all(both);
  // A client of NATS stores what it likes.
  await nats.request("_socktool.retained.t", "a stranger's");
  await retain(left, "last");
  await using subscription = await right.subscribe("t");
  assertEquals((await nextOf(subscription)).text(), "last");
  await nats.close();
});

Deno.test("without JetStream nothing is kept, and publishers are told when to try again", async () => {
  await using server = await NatsServer.start("retained values without JetStream");
  if (server === undefined) return;
  await using one = await Gateway.start(server.url);
  await using client = await one.client();
  await using subscription = await client.subscribe("t");
  const { conn } = await RawClient.connect(one.broker.address);
  using peer = new RawPeer(conn);
  const refused = await peer.ask("pub", { topic: "t", retain: true, id: 1 });
  assertEquals([refused["op"], refused["code"]], ["error", "unavailable"]);
  assert(/JetStream/.test(String(refused["message"])), String(refused["message"]));
  assert(Number(refused["retry-after-ms"]) > 0, JSON.stringify(refused));
  // Waiting would not help.
  assertEquals((await peer.ask("pub", { topic: "t", stored: true, id: 2 }))["code"], "no-stream");
  await client.publish("t", "plain publications go on");
  assertEquals((await nextOf(subscription)).text(), "plain publications go on");
});
