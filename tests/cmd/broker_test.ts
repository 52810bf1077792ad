import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatAddress } from "../../lib/net/mod.ts";
import { connectBroker, hashToken } from "../../lib/pubsub/mod.ts";
import { InnerProgram, InnerServer, script, ServerProgram, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { until } from "../support/deadline.ts";
import { lacksSignals } from "../support/skip.ts";

function startBroker(...args: string[]): Promise<InnerServer> {
  return InnerServer.start(["broker", ":0", ...args]);
}

/** Runs `broker ARGS…` to its end. */
const broker = (args: string[], stdin?: string) => socktool(["broker", ...args], { stdin });

Deno.test("broker serves, tells of its connections, and drains on SIGTERM", async () => {
  if (lacksSignals()) return;
  await using server = await ServerProgram.start(
    script("cmd/broker.ts", ":0", "-v", "--stats", "50ms"),
  );
  await using client = await connectBroker(server.address, { name: "tester", reconnect: false });
  const subscription = await client.subscribe("a");
  assertEquals(await client.publishConfirmed("a", "x"), 1);
  await subscription.next();
  await server.printed("1 connection, 1 filter");
  server.kill("SIGTERM");
  const { code, err } = await server.finished();
  assertEquals(code, 0);
  assertStringIncludes(err, "shutdown; 1 published, 1 delivered, 0 missed");
  assertMatch(String(await client.finished), /shutdown/);
});

Deno.test("broker --json prints objects only", async () => {
  await using server = new InnerProgram(["broker", ":0", "--json", "--stats", "50ms"]);
  await server.printed('"type":"stats"', "out");
  const first = JSON.parse(server.out.split("\n")[0]!);
  assertEquals(first.type, "listening");
  server.interrupt();
  const { code, out } = await server.finished();
  assertEquals(code, 0);
  const lines = out.trim().split("\n").map((line) => JSON.parse(line));
  for (const { type } of lines) assert(typeof type === "string");
  assertEquals(lines.at(-1), { type: "summary", published: 0, delivered: 0, missed: 0 });
});

Deno.test("broker does not open itself to other machines unasked", async () => {
  const { code, err } = await broker(["0.0.0.0:0"]);
  assertEquals(code, 2);
  assertStringIncludes(err, "--auth FILE");
  assertStringIncludes(err, "--insecure");
  await using server = await InnerServer.start(["broker", "0.0.0.0:0", "--insecure"]);
  assertStringIncludes(formatAddress(server.address), "0.0.0.0:");
});

Deno.test("broker --auth asks who a client is; --hash-password makes what the file needs", async () => {
  const { code, out } = await broker(["--hash-password"], "open sesame\n");
  assertEquals(code, 0);
  assertMatch(out, /^scrypt:\d+:8:1:\S+:\S+\n$/);
  assertEquals((await broker(["--hash-token"], "abc\n")).out, `${hashToken("abc")}\n`);
  assertEquals((await broker(["--hash-password"], "")).code, 2);
  using scratch = new Scratch();
  const file = scratch.write(
    "auth.json",
    JSON.stringify({
      users: [{
        name: "ali",
        password: out.trim(),
        publish: { allow: [">"] },
        subscribe: { allow: [">"] },
      }],
    }),
  );
  await using server = await startBroker("--auth", file);
  await using client = await connectBroker(server.address, {
    credentials: { user: "ali", password: "open sesame" },
  });
  assertEquals(await client.publishConfirmed("a"), 0);
  const refused = await connectBroker(server.address).catch((error) => error.code);
  assertEquals(refused, "unauthorized");
});

Deno.test("broker says what is wrong with its file, its port, its limits", async () => {
  using scratch = new Scratch();
  const file = scratch.write("auth.json", '{"users":[{"name":"a","password":"plain"}]}');
  const bad = await broker([":0", "--auth", file]);
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.err, "users[0].password");
  assertStringIncludes(bad.err, file);
  assertEquals((await broker([":0", "--auth", scratch.at("none.json")])).code, 1);
  await using server = await startBroker();
  const taken = await broker([formatAddress(server.address)]);
  assertEquals(taken.code, 1);
  assertStringIncludes(taken.err, "the address is in use");
  const limits = await broker([":0", "--max-content", "8MiB", "--max-pending", "8MiB"]);
  assertEquals(limits.code, 2);
  assertStringIncludes(limits.err, "--max-pending");
  assertEquals((await broker([":0", "--pin-interval", "1s"])).code, 2);
});

Deno.test("broker warns of a subscriber that does not keep up", async () => {
  await using server = await startBroker("--patience", "10ms", "--drain-timeout", "500ms");
  const { hostname, port } = server.address as Deno.NetAddr;
  using stuck = await Deno.connect({ hostname, port });
  const header = JSON.stringify({
    byteorder: "little",
    "content-type": "text/json",
    "content-encoding": "utf-8",
    "content-length": 0,
    op: "sub",
    topic: "a",
  });
  await stuck.write(
    Uint8Array.of(0, header.length, ...new TextEncoder().encode(header)),
  );
  await using client = await connectBroker(server.address);
  await until(async () => await client.publishConfirmed("a", "x".repeat(100_000)) === 1);
  for (let i = 0; i < 300 && !server.err.includes("does not keep up"); i++) {
    await client.publish("a", "x".repeat(100_000));
  }
  await server.printed("does not keep up");
  // What waits for it is told of when the broker ends.
  await client.close();
  server.interrupt();
  const { code, err } = await server.finished();
  assertEquals(code, 0);
  assertMatch(err, /[\d,]+ messages that waited could not be delivered/);
});
