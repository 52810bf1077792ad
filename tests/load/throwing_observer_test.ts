import { assertEquals } from "@std/assert";
import { redirectErrors } from "../../lib/base/report.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { runLoad, runTutorialExchange } from "../../lib/load/mod.ts";
import { deadline } from "../support/deadline.ts";
import { serveFault } from "../support/faulty_servers.ts";
import { listenLocally } from "../support/peers.ts";

/** An observer all of whose methods throw; which were called. */
function failing(names: readonly string[]) {
  const called = new Set<string>();
  const methods = names.map((name) => [name, () => {
    called.add(name);
    throw new Error(name);
  }]);
  return { called, observer: Object.fromEntries(methods) as Record<string, () => never> };
}

for (const workers of [1, 2]) {
  Deno.test(`runLoad() with ${workers} workers reports what its observer throws, and goes on`, async () => {
    const reported = new Set<string>();
    using _ = redirectErrors((error) => reported.add((error as Error).message));
    await using server = serveEcho(await listenLocally());
    const names = ["connecting", "started", "interval", "failed"];
    const { observer, called } = failing(names);
    const plan = { connections: 2, workers, observer };
    const { summary } = await deadline(runLoad({ ...plan, address: server.address, count: 10 }));
    assertEquals([summary.messages, summary.errors], [20, 0]);
    await using broken = await serveFault("wrong");
    const { summary: bad } = await deadline(
      runLoad({ ...plan, address: broken.address, count: 10 }),
    );
    assertEquals([bad.messages, bad.errors_by_kind.wrong], [0, 2]);
    assertEquals([...called].sort(), names.toSorted());
    assertEquals([...reported].sort(), names.toSorted());
  });
}

Deno.test("runTutorialExchange() reports what its observer throws, and goes on", async () => {
  const reported = new Set<string>();
  using _ = redirectErrors((error) => reported.add((error as Error).message));
  await using server = serveEcho(await listenLocally());
  const names = ["starting", "sending", "received", "closing", "failed"];
  const { observer } = failing(names);
  const connections = 2;
  assertEquals(
    await deadline(runTutorialExchange({ address: server.address, connections, observer })),
    2,
  );
  await using broken = await serveFault("wrong");
  assertEquals(
    await deadline(runTutorialExchange({ address: broken.address, connections, observer })),
    0,
  );
  assertEquals([...reported].sort(), names.toSorted());
});
