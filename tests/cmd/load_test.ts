import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { listenLocally } from "../support/peers.ts";
import { socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

/** The summary of what a program printed as JSON; behind it is only that it failed. */
function summaryOf(text: string): Record<string, unknown> {
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  return lines.findLast(({ type }) => type !== "error");
}

Deno.test("load opens ten connections, and is multiconn-client with load flags", async () => {
  await using server = serveEcho(await listenLocally());
  const where = formatAddress(server.address);
  const [load, client] = await Promise.all([
    socktool(["load", where, "--count", "3", "--json", "--percentiles", "95"]),
    socktool(["multiconn-client", where, "10", "--count", "3", "--json", "--percentiles", "95"]),
  ]);
  assertEquals([load.code, client.code], [0, 0]);
  const [one, other] = [load, client].map(({ out }) => summaryOf(out));
  assertEquals([one!["connections"], one!["due"], one!["answered"]], [10, 30, 30]);
  assertEquals(Object.keys(one!), Object.keys(other!));
  assert(Object.keys(one!["latency_us"] as object).includes("p95"));
});

Deno.test("load --protocol frames makes requests, and tells latencies and failures by kind", async () => {
  using scratch = new Scratch();
  const asked: string[] = [];
  await using server = serveRequests(await listenLocally(), (request) => {
    const { action, value } = request.json<{ action: string; value: string }>();
    asked.push(value);
    return action === "search"
      ? jsonFrame({ result: value })
      : jsonFrame({ error: { code: "no-action", message: `There is no ${action}` } });
  });
  const where = formatAddress(server.address);
  const file = scratch.at("requests.ndjson");
  const values = Array.from({ length: 20 }, (_, i) => `v${i}`);
  const lines = values.map((value) => JSON.stringify({ action: "search", value }));
  await Deno.writeTextFile(file, `${lines.join("\n")}\n\n`);
  const frames = ["load", where, "1", "--protocol", "frames", "--json"];
  const inOrder = await socktool([...frames, "--requests", file, "--count", "20"]);
  assertEquals([inOrder.code, asked.splice(0)], [0, values]);
  const orders: string[][] = [];
  for (const seed of ["7", "7", "8"]) {
    await socktool([...frames, "--requests", file, "--count", "20", "--seed", seed]);
    orders.push(asked.splice(0));
  }
  assertEquals([orders[0], orders[0]!.toSorted()], [orders[1], values.toSorted()]);
  assert(orders[0]!.join() !== values.join() && orders[0]!.join() !== orders[2]!.join());

  for (const workers of ["1", "2"]) {
    const { code, out } = await socktool([
      ...["load", where, "4", "--protocol", "frames", "--json", "--workers", workers],
      ...["--request", '{"action":"search","value":"{seq}"}', "--request", '{"action":"x"}'],
      ...["--count", "10", "--rate", "1k"],
    ]);
    const summary = summaryOf(out);
    assertEquals([code, summary["answered"]], [1, 40]);
    assertEquals(summary["errors_by_kind"], { refused: 20 });
    assertEquals(summary["wrong_answers"], { "no-action": 20 });
    const kinds = summary["kinds"] as Record<string, { messages: number; errors: number }>;
    assertEquals([kinds["search"]!.messages, kinds["search"]!.errors], [20, 0]);
    assertEquals([kinds["x"]!.messages, kinds["x"]!.errors], [20, 20]);
  }
});

Deno.test("load --publish measures a broker up to each delivery, and tells what is lost", async () => {
  await using broker = await serveBroker(await listenLocally());
  const where = formatAddress(broker.address);
  const publish = ["load", where, "--publish", "t.x", "--json", "--count", "50", "--rate", "1k"];
  const all = await socktool([...publish, "--subscribe", "t.*", "--subscribers", "3"]);
  const summary = summaryOf(all.out);
  assertEquals([all.code, summary["due"], summary["answered"]], [0, 50, 50], all.err);
  assertEquals(summary["answers"], { due: 150, received: 150 });
  assertEquals(summary["counts"], { published: 50, delivered: 150, missed: 0, lost: 0 });
  const none = await socktool([
    ...[...publish, "--subscribe", "other", "--drain-timeout", "50ms"],
    ...["--fail-if", "unanswered>1%"],
  ]);
  const lost = summaryOf(none.out);
  assertEquals([none.code, lost["unanswered"]], [3, 50]);
  assertEquals(lost["counts"], { published: 50, delivered: 0, missed: 0, lost: 50 });
});

Deno.test("load refuses flags that would have no effect, and requests that are none", async () => {
  const results = await Promise.all([
    [["--request", "{}"], "--request: it needs --protocol frames"],
    [["--protocol", "frames"], "say what to ask"],
    [["--protocol", "frames", "--request", "{"], "is no JSON"],
    [
      ["--protocol", "frames", "--request", "{}", "--answer", "close"],
      "--answer: it cannot be used",
    ],
    [["--publish", "t"], "--subscribe"],
    [["--publish", "t", "--subscribe", "t", "--message", "x"], "--message: it cannot be used"],
    [["--publish", "t", "--subscribe", "t", "--workers", "2"], "one thread publishes"],
    [["--expect", "x"], "an echo is compared anyway"],
    [["--answer", "until"], "--answer: cannot use"],
    [["--user", "ada"], "--user: it needs --protocol frames"],
  ].map(async ([args, text]) => [await socktool(["load", ":1", ...args!]), text] as const));
  for (const [{ code, err }, text] of results) {
    assertEquals(code, 2, err);
    assertStringIncludes(err, text as string);
  }
});

Deno.test("load says first that a run ended early, and why", async () => {
  const { code, err } = await socktool(["load", "127.0.0.1:1", "2", "--duration", "1m"]);
  assertEquals(code, 1);
  assertMatch(err, /error: ended early, after .* of 1m: no connection could be made, .*refused/);
});
