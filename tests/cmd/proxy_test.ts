import { assertEquals, assertStringIncludes } from "@std/assert";
import { exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { Program, script, ServerProgram } from "../support/programs.ts";
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
  await using server = await serveEcho("127.0.0.1:0");
  const upstream = formatAddress(server.address);
  await using proxy = await ServerProgram.start(script("cmd/proxy.ts", ":0", upstream, "-v"));
  await exchangeEcho(proxy.address, new Blob(["hello"]).stream());
  await proxy.printed("connection 1: closed after");
  assertStringIncludes(proxy.err, `to ${upstream}`);
  assertStringIncludes(proxy.err, "5 B up, 5 B down");
  await server.drain();
  await exchangeEcho(proxy.address, new Blob(["hello"]).stream()).catch(() => {});
  await proxy.printed(`connection 2: cannot connect to ${upstream}: the connection was refused`);
});

Deno.test("proxy refuses itself as its upstream", async () => {
  await using free = await serveEcho("127.0.0.1:0");
  const { address } = free;
  await free.drain();
  const words = formatAddress(address);
  await using program = new Program(script("cmd/proxy.ts", words, words));
  const { code, err } = await program.finished();
  assertEquals(code, 2);
  assertStringIncludes(err, `cannot use ${words} as the upstream: the proxy listens there`);
});
