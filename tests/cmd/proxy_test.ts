import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { EchoError, exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { ownAddress } from "../support/own_address.ts";
import { InnerProgram, InnerServer, Program, script, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { until } from "../support/deadline.ts";

const windows = Deno.build.os === "windows";

Deno.test("proxy passes a session on, says what happens as JSON, and drains", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  await using program = new Program(
    script("cmd/proxy.ts", ":0", formatAddress(server.address), "--json"),
  );
  await program.printed("listening", "out");
  const { address } = JSON.parse(program.out);
  const { bytes } = await exchangeEcho(address, new Blob(["hello"]).stream());
  assertEquals(bytes, 5);
  await until(() => program.out.includes('"closed"'));
  const lines = program.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ type }) => type), [
    ...["listening", "opened", "half-closed", "half-closed", "closed"],
  ]);
  const { duration_s: _, ...closed } = lines.at(-1);
  const [connection, reason] = [1, "done"];
  assertEquals(closed, { type: "closed", connection, reason, bytes_up: 5, bytes_down: 5 });
  if (windows) return;
  program.kill("SIGINT");
  const { code, err } = await program.finished();
  assertEquals(code, 0);
  assertStringIncludes(err, "draining");
});

Deno.test("proxy says who connects, and why a connection fails", async () => {
  await using server = await serveEcho(ownAddress());
  const upstream = formatAddress(server.address);
  await using proxy = await InnerServer.start(["proxy", ":0", upstream, "-v"]);
  await exchangeEcho(proxy.address, new Blob(["hello"]).stream());
  await proxy.printed("connection 1: closed after");
  assertStringIncludes(proxy.err, `to ${upstream}`);
  assertStringIncludes(proxy.err, "5 B up, 5 B down");
  await server.drain();
  await exchangeEcho(proxy.address, new Blob(["hello"]).stream()).catch(() => {});
  await proxy.printed(`connection 2: cannot connect to ${upstream}: the connection was refused`);
});

Deno.test("proxy refuses itself as its upstream", async () => {
  const words = formatAddress(ownAddress());
  const { code, err } = await socktool(["proxy", words, words]);
  assertEquals(code, 2);
  assertStringIncludes(err, `cannot use ${words} as the upstream: the proxy listens there`);
});

Deno.test("proxy does what --fault says, tells it as JSON, and says the seed", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  const upstream = formatAddress(server.address);
  const faults = ["--fault", "up corrupt 100% conn 1", "--fault", "both slice 1..3B"];
  const words = ["proxy", ":0", upstream, "--json", "--seed", "5", ...faults];
  await using program = new InnerProgram(words);
  await program.printed('"seed"', "out");
  const { address } = JSON.parse(program.out.split("\n")[0]!);
  assertStringIncludes(program.out, '{"type":"seed","seed":5}\n');
  await assertRejects(() => exchangeEcho(address, new Blob(["hello"]).stream()), EchoError);
  assertEquals((await exchangeEcho(address, new Blob(["hello"]).stream())).bytes, 5);
  program.interrupt();
  const { code, out } = await program.finished();
  assertEquals(code, 0);
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  const [first] = lines.filter(({ type }) => type === "fault");
  assertEquals(first, {
    type: "fault",
    fault: "up corrupt 100% conn 1",
    connection: 1,
    direction: "up",
    offset: 0,
  });
  const { faults: reports, ...summary } = lines.at(-1);
  assertEquals(summary, { type: "summary", seed: 5 });
  assertEquals(reports.map(({ fault }: { fault: string }) => fault), [faults[1], faults[3]]);
});

Deno.test("proxy --expect-fired exits with 3 for a fault that never did anything", async () => {
  using folder = new Scratch();
  const file = folder.write("faults.txt", "0s up slice 1B  # at once\n1h both refuse\n");
  await using server = await serveEcho("127.0.0.1:0");
  const args = [":0", formatAddress(server.address), "--script", file, "--expect-fired"];
  await using idle = await InnerServer.start(["proxy", ...args, "--fault", "up drop frame"]);
  await idle.printed("seed");
  await exchangeEcho(idle.address, new Blob(["hello"]).stream());
  idle.interrupt();
  const { code, err } = await idle.finished();
  assertEquals(code, 3);
  assertStringIncludes(err, "up slice 1B: 1 time\n");
  assertStringIncludes(err, "error: 'up drop frame' never did anything (--expect-fired)");
  assertStringIncludes(err, "but these bytes are none");
});

Deno.test("proxy says what is wrong with a fault, a script or --http, before it listens", async () => {
  using folder = new Scratch();
  const file = folder.write("faults.txt", "1s up slice 1B\n2s up dely 3ms\n");
  for (
    const [args, problem] of [
      [["--fault", "up dely 3ms"], `--fault: cannot read the fault 'up dely 3ms': at character 4`],
      [["--script", file], `--script ${file}: cannot read line 2: cannot read the fault`],
      [["--expect-fired"], "--expect-fired needs --fault or --script beside it"],
      [["--http", "0.0.0.0:0"], "--http: faults are changed from this machine only"],
    ] as const
  ) {
    const { code, err } = await socktool(["proxy", ":0", ":1", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(err, problem);
    assert(!err.includes("listening"), err);
  }
});

Deno.test("proxy --http changes faults while it runs, for who has the token and sends JSON", async () => {
  await using server = await serveEcho("127.0.0.1:0");
  const upstream = formatAddress(server.address);
  const words = ["proxy", ":0", upstream, "--json", "--http", ":0", "--seed", "1"];
  await using program = new InnerProgram(words);
  await program.printed('"token"', "out");
  const said = Object.assign(
    {},
    ...program.out.trimEnd().split("\n").map((line) => JSON.parse(line)),
  );
  const url = `${said.url}api/faults`;
  const ask = async (init: RequestInit & { headers?: Record<string, string> } = {}) => {
    const reply = await fetch(url, init);
    return [reply.status, await reply.json()] as const;
  };
  const authorization = `Bearer ${said.token}`;
  const put = (body: unknown, headers: Record<string, string> = {}) =>
    ask({
      method: "PUT",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { authorization, "content-type": "application/json", ...headers },
    });
  const state = { seed: 1, upstream, connections: 0 };
  assertEquals(await ask({ headers: { authorization } }), [200, { ...state, faults: [] }]);
  const faults = ["up corrupt 100%"];
  const fault = { fault: faults[0]!, fired: 0, set: true };
  assertEquals(await put({ faults }), [200, { ...state, faults: [fault] }]);
  await assertRejects(() => exchangeEcho(said.address, new Blob(["hi"]).stream()), EchoError);
  for (
    const [reply, status, code] of [
      [await ask(), 401, "unauthorized"],
      [await put({ faults: [] }, { authorization: "Bearer no" }), 401, "unauthorized"],
      [await put({ faults: [] }, { "content-type": "text/plain" }), 415, "bad-type"],
      [await put("{"), 400, "bad-json"],
      [await put({ faults: [1] }), 400, "bad-content"],
      [await put({ faults: ["up dely 1ms"] }), 400, "bad-fault"],
      [await put("x".repeat(70_000)), 413, undefined],
      [await put({ faults: [] }, { origin: "https://example.com" }), 403, "wrong-origin"],
    ] as const
  ) {
    // It has no flag that permits one.
    assert(!JSON.stringify(reply).includes("--allow-origin"));
    assertEquals([reply[0], code && reply[1].error.code], [status, code], JSON.stringify(reply));
  }
  const [, kept] = await ask({ headers: { authorization } });
  assertEquals(kept.faults.map((each: { set: boolean }) => each.set), [true]);
  await put({ faults: [] });
  assertEquals((await exchangeEcho(said.address, new Blob(["hi"]).stream())).bytes, 2);
});
