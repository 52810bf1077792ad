import { assert, assertEquals } from "@std/assert";
import { TakenReports } from "../../../../lib/pubsub/client/link/taken_reports.ts";
import { connectBroker } from "../../../../lib/pubsub/mod.ts";
import { deadline, until } from "../../../support/deadline.ts";
import { ScriptedDuplex } from "../support.ts";

Deno.test("what was taken is told twice a second at most, and not for a few bytes", () => {
  const reports = new TakenReports();
  assertEquals(reports.due(0, 0), undefined);
  reports.came(20_000);
  assertEquals(reports.due(4_000, 0), undefined);
  assertEquals(reports.due(0, 0), 20_000);
  reports.came(100_000);
  assertEquals(reports.due(0, 499), undefined);
  assertEquals(reports.due(70_000, 500), 50_000);
  // What waited is counted once it is handled.
  assertEquals(reports.due(0, 1_000), 120_000);
  reports.came(16_383);
  assertEquals(reports.due(0, 99_000), undefined);
});

Deno.test("a client tells what its program has taken, not what it merely read", async () => {
  const duplex = new ScriptedDuplex((op) => op === "hello" || op === "sub" ? {} : undefined);
  const client = await connectBroker(duplex, { maxQueuedBytes: 40_000 });
  const subscription = await client.subscribe("t");
  // They come in a few large reads.
  for (let i = 0; i < 100; i++) duplex.give({ op: "pub", topic: "t" }, new Uint8Array(1_000));
  const told = () => duplex.headers.filter(({ op }) => op === "pong").map(({ taken }) => taken);
  await until(() => told().length > 0);
  const [first] = told() as number[];
  assert(first! >= 16_384 && first! < 45_000, `${first}`);
  for (let i = 0; i < 100; i++) await deadline(subscription.next());
  await client.close();
});
