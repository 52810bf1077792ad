/** `/metrics` of the servers. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connectBroker, hashToken } from "../../lib/pubsub/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import { connectRequests, jsonFrame } from "../../mod.ts";
import { until } from "../support/deadline.ts";
import { InnerServer } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";

const OPEN_METRICS = "application/openmetrics-text; version=1.0.0";

const pagesOf = ({ err }: InnerServer) => /^pages on (\S+\/)\n/m.exec(err)![1]!;

const start = (name: string, ...args: string[]) =>
  InnerServer.start([name, ":0", "--http", ":0", ...args]);

async function scrape(
  server: InnerServer,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`${pagesOf(server)}metrics`, { headers });
  const text = await response.text();
  assertEquals(response.status, 200, text);
  assertMatch(
    response.headers.get("content-type")!,
    headers["accept"] === OPEN_METRICS
      ? /^application\/openmetrics-text/
      : /^text\/plain; version=0\.0\.4/,
  );
  return text;
}

/** The value of a figure, without labels or with those that are written as they are. */
const valueOf = (text: string, name: string) =>
  Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.slice(name.length + 1));

Deno.test("a broker's figures are counted, in both forms", async () => {
  await using server = await start("broker");
  await using client = await connectBroker(server.address);
  await client.subscribe("a.>", { onMessage() {} });
  for (let i = 0; i < 10; i++) assertEquals(await client.publishConfirmed("a.b", "x"), 1);
  await until(async () =>
    valueOf(await scrape(server), "socktool_delivery_delay_seconds_count") > 0
  );
  const text = await scrape(server);
  assertEquals(valueOf(text, "socktool_connections"), 1);
  assertEquals(valueOf(text, "socktool_published_messages_total"), 10);
  assertEquals(valueOf(text, "socktool_delivered_messages_total"), 10);
  assertEquals(
    valueOf(text, 'socktool_delivery_delay_seconds_bucket{le="+Inf"}'),
    valueOf(text, "socktool_delivery_delay_seconds_count"),
  );
  assert(valueOf(text, "socktool_process_resident_memory_bytes") > 20_000_000);
  assert(valueOf(text, 'socktool_memory_used_bytes{share="filters"}') > 0);
  assertMatch(text, /^socktool_build_info\{version="[^"]+",deno="[^"]+"\} 1$/m);
  await until(async () =>
    valueOf(await scrape(server), "socktool_event_loop_delay_seconds_count") > 0
  );
  const open = await scrape(server, { accept: OPEN_METRICS });
  assertEquals(valueOf(open, "socktool_published_messages_total"), 10);
  assertStringIncludes(open, "# TYPE socktool_published_messages counter\n");
  assert(open.endsWith("# EOF\n"));
  // No name of a client or of a topic is ever a label.
  assert(!/a\.b|127\.0\.0\.1/.test(text), text);
});

Deno.test("the figures of all threads of an echo server are added up", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using server = await start("multiconn-server", "--workers", "2");
  const conns = await Promise.all(Array.from({ length: 8 }, () => dial(server.address)));
  for (const conn of conns) {
    await conn.write(new Uint8Array(1_000));
    for (let got = 0; got < 1_000;) got += await conn.read(new Uint8Array(1_000)) ?? 1_000;
  }
  await until(async () => valueOf(await scrape(server), "socktool_received_bytes_total") === 8_000);
  const text = await scrape(server);
  assertEquals(valueOf(text, "socktool_connections"), 8);
  assertEquals(valueOf(text, "socktool_connections_accepted_total"), 8);
  for (const conn of conns) conn.close();
});

Deno.test("a search app's figures are counted, and told to whom the auth file gives them", async () => {
  using scratch = new Scratch();
  const tokens = ["may", "maynot"].map((name) => ({
    name,
    token: hashToken(name),
    actions: { allow: name === "may" ? ["search", "stats"] : ["search"] },
  }));
  const path = scratch.write("auth.json", JSON.stringify({ tokens }));
  await using server = await start("app-server", "--auth", path);
  {
    await using client = await connectRequests(server.address, {
      greeting: jsonFrame({ action: "hello", token: "may" }),
    });
    await client.request(jsonFrame({ action: "search", value: "morpheus" }));
    await client.request(jsonFrame({ action: "search", value: "the white" }));
  }
  const text = await scrape(server, { authorization: "Bearer may" });
  assertEquals(valueOf(text, "socktool_searches_total"), 1);
  assertEquals(valueOf(text, "socktool_request_duration_seconds_count"), 3);
  assertEquals(valueOf(text, "socktool_entries"), 3);
  for (const [token, status] of [["maynot", 403], ["nobody", 401]] as const) {
    const response = await fetch(`${pagesOf(server)}metrics`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    assertEquals(response.status, status, token);
  }
});

Deno.test({
  name: "Prometheus' own tool finds nothing to say about the figures",
  ignore: !isInstalled("promtool", "the check of /metrics by Prometheus' own tool"),
  fn: async () => {
    using scratch = new Scratch();
    const servers = [
      ["broker", "--store", scratch.at("store"), "--stream", "s=s.>"],
      ["app-server"],
      ["echo-server"],
    ] as const;
    for (const [name, ...args] of servers) {
      await using server = await start(name, ...args);
      const stdin = await scrape(server);
      const { code, out, err } = await runTool("promtool", ["check", "metrics"], { stdin });
      assertEquals([code, out, err], [0, "", ""], name);
    }
  },
});
