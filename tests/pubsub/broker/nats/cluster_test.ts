import { assert, assertEquals } from "@std/assert";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { until } from "../../../support/deadline.ts";
import { NatsCluster, NatsServer } from "../../../support/nats.ts";
import { clientTimers } from "./client_timers.ts";
import { ClusterRun } from "./cluster_run.ts";
import { GatewayRun, IMPATIENT } from "./gateway_run.ts";
import { loseQuorum } from "./quorum.ts";
import { StreamRun } from "./stream_run.ts";
import { nextOf } from "./support.ts";

const TICK_MS = 20;

Deno.test(
  "while a server of three dies, all is received or told, and what was kept stays",
  async () => {
    using _timers = clientTimers();
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
    const [one, other] = streams.gateways;
    await loseQuorum(cluster, [one!, other!]);
  },
);

Deno.test(
  "what a stopped gateway costs is told exactly; where it dies, clients go to the next",
  async () => {
    using _timers = clientTimers();
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
    // Those that find a busy machine busy come late, too.
    let ticks = 0;
    const ticking = setInterval(() => ticks++, TICK_MS);
    await mortal[Symbol.asyncDispose]();
    await until(() => other.broker.stats().filters > before.filters);
    await publisher.publish("after", "here");
    assertEquals((await nextOf(subscription)).text(), "here");
    clearInterval(ticking);
    // Waiting for the answer of the dead one would take a second.
    assert(ticks < 800 / TICK_MS, `${ticks} ticks of ${TICK_MS} ms`);
  },
);
