import { assert, assertEquals } from "@std/assert";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { until } from "../../../support/deadline.ts";
import { NatsCluster, NatsServer } from "../../../support/nats.ts";
import { ClusterRun } from "./cluster_run.ts";
import { GatewayRun, IMPATIENT } from "./gateway_run.ts";
import { StreamRun } from "./stream_run.ts";
import { nextOf } from "./support.ts";

Deno.test("while a server of three dies, all is received or told, and what was kept stays", async () => {
  await using cluster = await NatsCluster.start("a cluster of three");
  if (cluster === undefined) return;
  await using run = new ClusterRun(cluster);
  await run.start();
  await run.round(0, "SIGKILL", 300);

  await using streams = new StreamRun(cluster, 2);
  await streams.start();
  await streams.round(
    { what: "server", index: 1, how: "SIGKILL", ms: 300 },
    { what: "gateway", index: 0, how: "SIGKILL", ms: 0 },
  );
});

Deno.test("what a stopped gateway costs is told exactly; where it dies, clients go to the next", async () => {
  await using server = await NatsServer.start("a mortal gateway", { config: IMPATIENT });
  if (server === undefined) return;
  await using gateways = await GatewayRun.start([server.url]);
  const { mortal, steady: other } = gateways;
  await gateways.stop(400);
  assert(gateways.missed > 0);

  const before = other.broker.stats();
  await using client = await connectBroker([mortal.words.join(":"), other.broker.address]);
  const subscription = await client.subscribe("after");
  await using publisher = await other.client();
  const diedAt = performance.now();
  await mortal[Symbol.asyncDispose]();
  await until(() => other.broker.stats().filters > before.filters);
  await publisher.publish("after", "here");
  assertEquals((await nextOf(subscription)).text(), "here");
  const movedMs = performance.now() - diedAt;
  // Waiting for the answer of the dead one would take a second. The machine may be busy.
  const beganAt = performance.now();
  await using fresh = await other.client();
  await fresh.subscribe("fresh");
  const freshMs = performance.now() - beganAt;
  assert(movedMs < 800 + 5 * freshMs, `${movedMs} ms; subscribing anew takes ${freshMs} ms`);
});
