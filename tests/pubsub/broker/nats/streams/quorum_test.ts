import type { StreamInfo } from "@nats-io/jetstream";
import { assertEquals } from "@std/assert";
import { quorumProblem } from "../../../../../lib/pubsub/broker/nats/streams/quorum.ts";

/** What the leader tells of another server: whether it is offline, and how long it was silent. */
type Other = readonly [offline: boolean, silentMs: number];

const WELL: Other = [false, 500];
const DEAD: Other = [true, 500];
const SILENT: Other = [false, 8_000];
/** Not heard of since this leader was elected. */
const UNHEARD: Other = [false, 1_700_000_000_000];

function problemOf(...others: Other[]): string | undefined {
  return problemUnder("n9", others);
}

function problemUnder(leader: string, others: readonly Other[]): string | undefined {
  const replicas = others.map(([offline, ms], i) => ({
    name: `n${i}`,
    current: true,
    offline,
    active: ms * 1e6,
  }));
  const cluster = { name: "c", leader, replicas };
  return quorumProblem({ config: { name: "s" }, cluster } as unknown as StreamInfo);
}

Deno.test("a stream has a quorum as long as its leader hears of the majority", () => {
  assertEquals(quorumProblem({ config: { name: "s" } } as StreamInfo), undefined);
  const well: Other[][] = [[], [WELL, WELL], [WELL, DEAD], [SILENT, WELL], [UNHEARD, UNHEARD], [
    UNHEARD,
    DEAD,
  ], [WELL, WELL, DEAD, SILENT]];
  for (const others of well) assertEquals(problemOf(...others), undefined, JSON.stringify(others));
  assertEquals(problemOf(DEAD, DEAD), 'the stream "s" has 1 of its 3 servers');
  assertEquals(problemOf(DEAD, SILENT), 'the stream "s" has 1 of its 3 servers');
  assertEquals(problemOf(WELL, DEAD, SILENT), 'the stream "s" has 2 of its 4 servers');
  // Without a leader all are told of.
  assertEquals(problemUnder("", [WELL, DEAD, DEAD]), 'the stream "s" has 1 of its 3 servers');
  assertEquals(problemUnder("", [WELL, WELL, DEAD]), undefined);
  assertEquals(problemOf(WELL, DEAD, SILENT, DEAD), 'the stream "s" has 2 of its 5 servers');
});
