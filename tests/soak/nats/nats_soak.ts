import { NatsCluster } from "../../support/nats.ts";
import { ClusterRun, FAULTS } from "../../pubsub/broker/nats/cluster_run.ts";
import { StreamRun } from "../../pubsub/broker/nats/stream_run.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/**
 * Three gateways of a cluster of three, whose servers are killed or stopped for a while, one after
 * the other: each subscriber received or was told of every publication, exactly, and what was
 * confirmed as retained is there. Three more gateways, as processes, which are killed or stopped too:
 * what was confirmed as stored is there once and in order, what was confirmed as acknowledged does not
 * come again.
 */
export const natsSoak: Soak = {
  name: "nats",
  async start(): Promise<RunningSoak> {
    const cluster = await NatsCluster.start("the soak of gateways");
    if (cluster === undefined) {
      return {
        round: () => Promise.resolve(),
        summary: "skipped: nats-server is not installed",
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    }
    const run = new ClusterRun(cluster);
    await run.start();
    const streams = new StreamRun(cluster, 3);
    await streams.start();
    let rounds = 0;
    return {
      async round(random: Random) {
        await run.round(random.int(0, 2), random.pick(FAULTS), random.int(50, 8_000));
        await cluster.formed();
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
          `${streams.stored} stored`;
      },
      async [Symbol.asyncDispose]() {
        await streams[Symbol.asyncDispose]();
        await run[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
};
