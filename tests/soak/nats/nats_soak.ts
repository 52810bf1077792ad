import { NatsCluster, NatsServer } from "../../support/nats.ts";
import { ClusterRun, FAULTS } from "../../pubsub/broker/nats/cluster_run.ts";
import { GatewayRun, IMPATIENT } from "../../pubsub/broker/nats/gateway_run.ts";
import { StreamRun } from "../../pubsub/broker/nats/stream_run.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";

const SKIPPED: RunningSoak = {
  round: () => Promise.resolve(),
  summary: "skipped: nats-server is not installed",
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/**
 * Three gateways of a cluster of three, whose servers are killed or stopped for a while, one after
 * the other: each subscriber received or was told of every publication, exactly, and what was
 * confirmed as retained is there. Three more gateways, as processes, which are killed or stopped too:
 * what was confirmed as stored is there once and in order, what was confirmed as acknowledged does not
 * come again, what is never acknowledged is once among the dead letters.
 */
export const natsSoak: Soak = {
  name: "nats",
  async start(): Promise<RunningSoak> {
    const cluster = await NatsCluster.start("the soak of gateways");
    if (cluster === undefined) return SKIPPED;
    const run = new ClusterRun(cluster);
    await run.start();
    const streams = new StreamRun(cluster, 3);
    await streams.start();
    let rounds = 0;
    return {
      async round(random: Random) {
        await run.round(random.int(0, 2), random.pick(FAULTS), random.int(50, 8_000));
        await cluster.formed();
        streams.disturbed();
        await streams.round({
          what: random.pick(["server", "gateway"] as const),
          index: random.int(0, 2),
          how: random.pick(FAULTS),
          ms: random.int(50, 8_000),
        });
        await cluster.formed();
        rounds += 2;
      },
      get summary() {
        const { published, missed, retained } = run;
        return `${rounds} faults, ${published} published, ${missed} missed, ${retained} retained, ` +
          `${streams.stored} stored, ${streams.repeated} acknowledged and delivered again, ` +
          `${streams.dead} dead letters`;
      },
      async [Symbol.asyncDispose]() {
        await streams[Symbol.asyncDispose]();
        await run[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
};

/**
 * Two gateways, of which one is stopped or killed while the other publishes: each publication was
 * received or told as missed, exactly, in order and none twice; and after a death the next gateway at
 * the same address brings everything.
 */
export const gatewaysSoak: Soak = {
  name: "gateways",
  async start(): Promise<RunningSoak> {
    const server = await NatsServer.start("the soak of mortal gateways", { config: IMPATIENT });
    if (server === undefined) return SKIPPED;
    const run = await GatewayRun.start([server.url]);
    let rounds = 0;
    return {
      async round(random: Random) {
        if (random.chance(0.7)) await run.stop(random.int(1, 1_000));
        else await run.kill(random.int(1, 300));
        rounds++;
      },
      get summary() {
        return `${rounds} faults, ${run.published} published, ${run.missed} missed since a death`;
      },
      async [Symbol.asyncDispose]() {
        await run[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};
