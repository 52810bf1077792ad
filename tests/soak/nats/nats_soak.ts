import { NatsCluster } from "../../support/nats.ts";
import { ClusterRun, FAULTS } from "../../pubsub/broker/nats/cluster_run.ts";
import type { Random } from "../random.ts";
import type { RunningSoak, Soak } from "../soak.ts";

/**
 * Three gateways of a cluster of three, whose servers are killed or stopped for a while, one after
 * the other: each subscriber received or was told of every publication, exactly, and what was
 * confirmed as retained is there.
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
    let rounds = 0;
    return {
      async round(random: Random) {
        await run.round(random.int(0, 2), random.pick(FAULTS), random.int(50, 8_000));
        await cluster.formed();
        rounds++;
      },
      get summary() {
        const { published, missed, retained } = run;
        return `${rounds} faults, ${published} published, ${missed} missed, ${retained} retained`;
      },
      async [Symbol.asyncDispose]() {
        await run[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  },
};
