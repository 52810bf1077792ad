import type { StreamInfo } from "@nats-io/jetstream";
import { quote } from "../../../protocol/quote.ts";

/** The servers of a stream hear of each other each second. Times are in nanoseconds. */
const SILENT_NS = 4e9;

/** A server that its leader has never heard of is silent since 1970. */
const NEVER_NS = 1e18;

/**
 * Why nothing can be stored in a stream, as its leader sees it; `undefined` if it can. The leader goes
 * on telling of the stream for a while when it has lost the other servers, and answers what it can by
 * itself: so its answers alone do not say that all is well.
 */
export function quorumProblem({ config, cluster }: StreamInfo): string | undefined {
  if (cluster === undefined) return undefined;
  const others = cluster.replicas ?? [];
  const lost = others.filter(({ offline, active }) =>
    offline || (active > SILENT_NS && active < NEVER_NS)
  );
  // While there is no leader, whoever answers is among the others.
  const all = others.length + (cluster.leader ? 1 : 0);
  const there = all - lost.length;
  if (there * 2 > all) return undefined;
  return `the stream ${quote(config.name)} has ${there} of its ${all} servers`;
}
