import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatAddress, listen } from "../../lib/net/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { type Broker, connectBroker, serveBroker } from "../../lib/pubsub/mod.ts";
import { startBroker } from "../pubsub/support.ts";
import { until } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { InnerProgram, Program, script, socktool } from "../support/programs.ts";
import { lacksSignals, skipOnWindows } from "../support/skip.ts";

/** Starts `sub ARGS…`. */
function sub(broker: Broker, ...args: string[]): InnerProgram {
  return new InnerProgram(["sub", ...args, "-s", formatAddress(broker.address)]);
}

/** Starts `sub ARGS…`; resolves once it has subscribed. */
async function startSub(broker: Broker, args: string[], filters = 1): Promise<InnerProgram> {
  const before = broker.stats().subscriptions;
  const program = sub(broker, ...args);
  await until(() => broker.stats().subscriptions === before + filters, "it has subscribed");
  return program;
}

/** The same as a process. */
async function startProcess(broker: Broker, ...args: string[]): Promise<Program> {
  const before = broker.stats().subscriptions;
  const program = new Program(script("cmd/sub.ts", ...args, "-s", formatAddress(broker.address)));
  await until(() => broker.stats().subscriptions === before + 1, "it has subscribed");
  return program;
}

Deno.test("sub prints a line per message; overlapping filters print it once", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using text = await startSub(broker, ["a.*", ">", "--count", "3", "-v"], 2);
  await using raw = await startSub(broker, ["a.>", "--raw", "--count", "3"]);
  await using json = await startSub(broker, ["a.>", "--json", "--count", "3"]);
  await client.publish("a.x", "one");
  await client.publish("a.y", Uint8Array.of(0, 255));
  await client.publish("a.x", "zwei ä");
  const finished = await text.finished();
  assertEquals(finished.out, "a.x\tone\na.y\tbase64: AP8=\na.x\tzwei ä\n");
  assertEquals(finished.code, 0);
  assertEquals((await raw.finished()).code, 0);
  const lines = (await json.finished()).out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ topic, text, base64 }) => [topic, text ?? base64]), [
    ["a.x", "one"],
    ["a.y", "AP8="],
    ["a.x", "zwei ä"],
  ]);
  assertEquals(lines[0].header.op, "pub");
});

Deno.test("sub --group shares, --retained prints what is kept, --timeout ends", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using one = await startSub(broker, ["jobs", "--group", "g", "--count", "2"]);
  await using two = await startSub(broker, ["jobs", "--group", "g", "--count", "2"]);
  for (let i = 0; i < 4; i++) await client.publishConfirmed("jobs", String(i));
  const [first, second] = [await one.finished(), await two.finished()];
  assertEquals((first.out + second.out).split("\n").sort(), ["", "0", "1", "2", "3"]);

  await client.publishConfirmed("room.1", "20", { retain: true });
  await client.publishConfirmed("room.2", "21", { retain: true });
  const retained = await sub(broker, "room.*", "--retained").finished();
  assertEquals([retained.code, retained.out], [0, "20\n21\n"]);

  await using late = await startSub(broker, ["none", "--count", "2", "--timeout", "700ms"]);
  const { code, err } = await late.finished();
  assertEquals(code, 1);
  assertStringIncludes(err, "0 of 2 messages");
});

Deno.test("sub --reply answers with a command's output, and tells of one that fails", async () => {
  if (skipOnWindows("whose shell takes other commands")) return;
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const command = 'read text; test "$text" = bad && exit 3; echo "$SOCKTOOL_TOPIC:$text"';
  await using program = await startSub(broker, ["ask.*", "--reply", command]);
  assertEquals((await client.request("ask.me", "hello\n")).text(), "ask.me:hello\n");
  const failed = await client.request("ask.me", "bad\n", { timeoutMs: 300 })
    .catch((error) => error.code);
  assertEquals(failed, "timed-out");
  await program.printed("exit code 3");
});

Deno.test("sub prints a retained value once, however many of its filters match", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  for (const i of [1, 2]) await client.publishConfirmed(`room.${i}`, String(i), { retain: true });
  const filters = ["room.1", "room.*", "room.1", "room.>", ">"];
  for (const args of [["--retained"], ["--count", "3"]]) {
    await using program = args[0] === "--count"
      ? await startSub(broker, [...filters, ...args], 4)
      : sub(broker, ...filters, ...args);
    if (args[0] === "--count") await client.publishConfirmed("room.2", "3");
    const { code, out } = await program.finished();
    assertEquals([code, out], [0, args[0] === "--count" ? "1\n2\n3\n" : "1\n2\n"]);
  }
});

Deno.test("sub prints the time, topics alone, and fields in a form", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const cases: [string[], RegExp][] = [
    [["--time"], /^\d{4}-\d\d-\d\dT[\d:.]+Z\thi\n$/],
    [["--time", "-v"], /^\S+Z\ta\.b\thi\n$/],
    [["--topics-only"], /^a\.b\n$/],
    [["--format", "{topic}={text}\\t{header.n}"], /^a\.b=hi\t5\n$/],
    [["--json", "--time"], /"retained":false,"time":"\d{4}-[^"]+Z","header":/],
  ];
  await Promise.all(cases.map(async ([args, expected]) => {
    await using program = sub(broker, "a.*", "--count", "1", ...args);
    await until(async () => {
      await client.publish("a.b", "hi", { fields: { n: 5 } });
      return program.out !== "";
    }, "it has printed");
    assertMatch((await program.finished()).out, expected);
  }));
});

Deno.test("sub warns of a filter as in MQTT, and names the one that is meant", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await using program = await startSub(broker, ["sensors/#", "a.+", "a.b", "--count", "1"], 3);
  await client.publish("a.b", "x");
  const { code, err } = await program.finished();
  assertEquals(code, 0);
  assertStringIncludes(err, "FILTER sensors/#: # and + are no wildcards here; sensors.> is meant");
  assertStringIncludes(err, "a.* is meant");
});

Deno.test("sub --wait begins before its broker, of several, and ends on SIGINT meanwhile", async () => {
  const servers = [ownAddress(), ownAddress()].map(formatAddress);
  const at = servers.flatMap((server) => ["-s", server]);
  await using program = new InnerProgram(["sub", "a", "--wait", "--count", "1", ...at]);
  await program.printed("no connection: cannot connect to");
  await using broker = await serveBroker(servers[1]!);
  await until(() => broker.stats().subscriptions === 1, "it has subscribed");
  await using client = await connectBroker(broker.address);
  await client.publish("a", "x");
  const { code, out, err } = await program.finished();
  assertEquals([code, out], [0, "x\n"]);
  assert(err.includes("connected") && !err.includes("connected again"), err);

  await using waiting = new Program(script("cmd/sub.ts", "a", "--wait", "-s", servers[0]!));
  await waiting.printed("trying again in");
  waiting.kill("SIGINT");
  assertEquals((await waiting.finished()).code, 130);
  assertEquals((await socktool(["sub", "a", "-s", servers[0]!])).code, 1);
});

Deno.test("sub and pub --will: published when they are killed, not when they end", async () => {
  if (lacksSignals()) return;
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const wills: string[] = [];
  await client.subscribe("state.*", { onMessage: (message) => void wills.push(message.text()) });
  const at = ["-s", formatAddress(broker.address)];
  await using sub = await startProcess(broker, "a", "--will", "state.sub=gone=1");
  await using pub = new Program(
    script("cmd/pub.ts", "a", "--lines", "--will", "state.pub=gone 2", ...at),
    { stdin: "" },
  );
  await pub.type("x\n");
  await until(() => broker.stats().published === 1, "it has published");
  sub.kill("SIGKILL");
  pub.kill("SIGKILL");
  await until(() => wills.length === 2, "both are told");
  assertEquals(wills.toSorted(), ["gone 2", "gone=1"]);
  await using ending = await startProcess(broker, "a", "--will", "state.sub=no");
  ending.kill("SIGTERM");
  await ending.finished();
  assertEquals((await socktool(["pub", "a", "x", "--will", "state.x=no", ...at])).code, 0);
  await until(() => broker.stats().connections === 1, "all have ended");
  assertEquals(wills.length, 2);
});

Deno.test("sub is told of what is larger than --max-content", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  await client.publishConfirmed("a.kept", "x".repeat(11), { retain: true });
  await using program = await startSub(broker, [
    "a.*",
    "--max-content",
    "10B",
    "--count",
    "1",
    "--json",
  ]);
  await client.publish("a.large", "x".repeat(11));
  await client.publish("a.small", "x".repeat(10));
  const { code, out, err } = await program.finished();
  assertEquals(code, 0);
  const lines = out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ type, count, reason }) => [type, count, reason]), [
    ["missed", 1, "too-large"],
    ["missed", 1, "too-large"],
    ["message", undefined, undefined],
  ]);
  assertStringIncludes(err, "too large");
});

Deno.test("sub connects again after a restart, says so, and ends on SIGINT", async () => {
  const broker = await startBroker();
  await using program = await startSub(broker, ["a"]);
  await broker.drain();
  await program.printed("trying again in");
  await using second = serveBroker(await listen(broker.address as TcpAddress));
  await until(() => second.stats().subscriptions === 1, "it is back");
  await program.printed("connected again");
  await using client = await connectBroker(second.address);
  assertEquals(await client.publishConfirmed("a", "after"), 1);
  await program.printed("after\n", "out");
  program.interrupt();
  assertEquals((await program.finished()).code, 130);
});

Deno.test("sub tells on stderr and in the JSON what was missed", async () => {
  await using broker = await startBroker({ maxContentBytes: 50_000, maxPendingBytes: 120_000 });
  await using client = await connectBroker(broker.address);
  await using program = await startProcess(broker, "a", "--json");
  // A program that is stopped reads nothing.
  program.kill("SIGSTOP");
  const content = "x".repeat(50_000);
  let sent = 0;
  for (; sent < 2_000 && broker.stats().missed === 0; sent++) {
    await client.publishConfirmed("a", content);
  }
  program.kill("SIGCONT");
  await program.printed("missed", "err");
  await program.printed('"type":"missed"', "out");
  const lines = () =>
    program.out.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
  const counted = () =>
    lines().reduce((sum, { type, count }) => sum + (type === "missed" ? count as number : 1), 0);
  await until(() => counted() === sent, "sent = received + missed");
  assertMatch(program.err, /missed \d+ messages? \(\S+ \w+\) of a: too slow/);
});

Deno.test("sub ends at once while there is no broker, and says in JSON that there is none", async () => {
  const broker = await startBroker();
  await using program = await startSub(broker, ["a", "--json"]);
  await broker[Symbol.asyncDispose]();
  await program.printed('{"type":"disconnected","reason":', "out");
  program.interrupt();
  const { code, err } = await program.finished();
  assertEquals(code, 130);
  assert(!err.includes("error"), err);
});

Deno.test("sub says what is wrong", async () => {
  await using broker = await startBroker();
  for (
    const [args, code, text] of [
      [[], 2, "FILTER"],
      [["a.>.b"], 2, "> stands only at the end"],
      [["a", "--slow", "never"], 2, "never"],
      [["a", "--slow", "block"], 1, "block"],
      [["a", "--group", "x.y"], 2, "--group x.y: it must be one token"],
      [["a", "--group", "*"], 2, "--group *: it must not be a wildcard"],
      [["a", "--group", "g", "--retained"], 2, "contradict"],
      [["a", "--format", "{nope}"], 2, "--format: there is no field {nope}"],
      [["a", "--format", "x", "--json"], 2, "contradict"],
      [["a", "--topics-only", "--raw"], 2, "contradict"],
    ] as [string[], number, string][]
  ) {
    const finished = await sub(broker, ...args).finished();
    assertEquals(finished.code, code, finished.err);
    assert(finished.err.includes(text), finished.err);
  }
});

Deno.test("sub --wait gives up when the time of --timeout is over, and says what it waited for", async () => {
  const nobody = formatAddress(ownAddress());
  const { code, err } = await socktool(
    ["sub", "a.>", "--wait", "--timeout", "500ms", "-s", nobody],
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "error: no broker came in 500 ms: cannot connect to");
});

Deno.test("sub gives up a broker that lets nobody in when the time of --timeout is over", async () => {
  // It takes connections, and answers nothing.
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = `127.0.0.1:${silent.addr.port}`;
  await Promise.all([["a"], ["--stream", "orders"]].map(async (words) => {
    const { code, err } = await socktool(["sub", ...words, "--timeout", "50ms", "-s", server]);
    const why = `${server} accepts connections and does not answer: is it a broker?`;
    assertEquals([code, err], [1, `error: no broker came in 50 ms: ${why}\n`]);
  }));
});
