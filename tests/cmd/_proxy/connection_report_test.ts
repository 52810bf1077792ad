import { assert, assertEquals } from "@std/assert";
import type { Context } from "../../../cmd/_cli/command.ts";
import { jsonEvents } from "../../../cmd/_cli/lossy_output.ts";
import type { Log } from "../../../cmd/_cli/log.ts";
import { Output } from "../../../cmd/_cli/output.ts";
import { connectionReport } from "../../../cmd/_proxy/connection_report.ts";
import { FailedConnections } from "../../../cmd/_proxy/failed_connections.ts";
import type { ProxiedConnection } from "../../../lib/proxy/mod.ts";
import { until } from "../../support/deadline.ts";

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 9 } as const;
const CONNECTION = { id: 1, client: ADDRESS, upstream: ADDRESS } as unknown as ProxiedConnection;

Deno.test("events of connections are left out and counted while nobody reads them", async () => {
  const { promise, resolve: read } = Promise.withResolvers<void>();
  let text = "";
  const out = new Output({
    isTerminal: () => false,
    async write(bytes) {
      await promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  });
  const { opened, closed } = connectionReport(
    { out, log: {} } as unknown as Context,
    jsonEvents(out),
  );
  let printed = 0;
  for (; printed < 40_000; printed += 2) {
    opened!(CONNECTION);
    closed!(CONNECTION, "done");
  }
  assert(out.pendingBytes < 2_000_000, `${out.pendingBytes} bytes wait`);
  read();
  await out.flush();
  const told = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { type, count } = told.pop();
  assertEquals([type, count + told.length], ["left-out", printed]);
  assert(told.length > 5_000, "half of what ten thousand clients cause at once");
});

Deno.test("clients that come to nothing are told at once, then counted, by the reason", async () => {
  for (const level of ["normal", "verbose"] as const) {
    const told: string[] = [];
    const log = { level, warn: (line: string) => void told.push(line) } as unknown as Log;
    using failed = new FailedConnections(log, "proxy", 10);
    for (let id = 1; id <= 500; id++) {
      failed.closed(id, "refused", undefined);
      failed.closed(id, "unreachable", new Error("no way"));
      assertEquals(failed.closed(id, "done", undefined), false);
    }
    if (level === "verbose") {
      assertEquals(told.length, 1_000);
      continue;
    }
    assertEquals(told, ["connection 1: refused: too many connections", "connection 1: no way"]);
    await until(() => told.length === 4);
    assertEquals(told.slice(2), [
      "499 more connections: refused: too many connections",
      "499 more connections: no way",
    ]);
  }
});
