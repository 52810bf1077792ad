import { assert, assertEquals } from "@std/assert";
import { runMulti } from "../../cmd/_cli/multi.ts";
import { program } from "../../cmd/program.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { newStreamSettings, openStreamStore, serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { FakeHost } from "./_cli/fake_host.ts";

/** The object that a failed run's stdout ends with, its exit code, and all that it printed there. */
async function failed(...args: readonly string[]) {
  const host = new FakeHost(args);
  const code = await runMulti(program, host);
  const lines = host.outText.trimEnd().split("\n");
  const last = JSON.parse(lines.at(-1)!);
  assertEquals([last.type, last.exit_code], ["error", code], host.outText);
  assert(host.errText.includes(`error: ${last.message}\n`), host.errText);
  return { last, lines, code };
}

Deno.test("every command with --json tells wrong usage on stdout too", async () => {
  for (const { name } of program.commands) {
    const { last, lines, code } = await failed(name, "--json", "--no-such-flag");
    assertEquals([last.code, code, lines.length], ["usage", 2, 1], name);
  }
  assertEquals((await failed("no-such-command", "--json")).code, 2);
});

Deno.test("every client with --json that reaches no server ends with an error", async () => {
  const where = formatAddress(ownAddress());
  const lines: readonly (readonly string[])[] = [
    ["echo-client", where, "hello"],
    ["app-client", where, "search", "morpheus"],
    ["pub", "a.b", "hello", "--server", where],
    ["sub", "a.b", "--server", where],
  ];
  for (const line of lines) {
    const { last, code } = await failed(...line, "--json");
    assertEquals(
      [last.code, last.operation, last.address, code],
      ["refused", "connect", where, 1],
      line[0],
    );
  }
});

Deno.test("every server with --json that cannot listen ends with an error", async () => {
  using listener = await listenLocally();
  const where = formatAddress(listener.address);
  for (const command of ["echo-server", "multiconn-server", "app-server", "broker"]) {
    const { last, code, lines } = await failed(command, where, "--json");
    assertEquals(
      [last.code, last.operation, last.address, code, lines.length],
      ["address-in-use", "listen", where, 1, 1],
      command,
    );
  }
});

Deno.test("a file that cannot be read is an error on stdout with --json", async () => {
  using scratch = new Scratch();
  const missing = scratch.at("missing");
  const lines: readonly (readonly string[])[] = [
    ["echo-client", ":1", "x", "--tls", "--tls-ca", missing],
    ["echo-server", ":0", "--tls-cert", missing, "--tls-key", missing],
    ["app-server", ":0", "--data", missing],
    ["broker", ":0", "--auth", missing],
    ["multiconn-client", ":1", "1", "--count", "1", "--compare", missing],
  ];
  for (const line of lines) {
    const { last } = await failed(...line, "--json");
    assert(last.message.includes(missing), `${line[0]}: ${last.message}`);
  }
});

Deno.test("every command with --json that did not do all it was to ends with an error", async () => {
  using scratch = new Scratch();
  const store = scratch.at("store");
  await using streams = await openStreamStore(store);
  await streams.create("orders", newStreamSettings(["orders.>"]));
  await using broker = await serveBroker(await listenLocally(), { streams });
  const at = ["-s", formatAddress(broker.address)];
  await using app = serveRequests(await listenLocally(), () => jsonFrame({ error: { code: "x" } }));
  const where = formatAddress(app.address);
  await using echo = serveEcho(await listenLocally());
  const dead = formatAddress(ownAddress());
  const file = scratch.write("file", "no database");
  const damaged = scratch.at("damaged");
  Deno.mkdirSync(damaged);
  Deno.writeFileSync(`${damaged}/socktool.db`, new Uint8Array(4_096).fill(7));
  const short = ["--timeout", "300ms"];
  const lines: readonly (readonly [string, string | undefined, ...(readonly string[])])[] = [
    ["pub", "no-stream", "none", "x", "--stored", ...at],
    ["pub", "bad-topic", "_sys.x", "x", "--confirm", ...at],
    ["pub", "bad-topic", "_sys.x", "x", ...at],
    ["pub", "too-few-receivers", "a", "x", "--confirm", "--min-receivers", "1", ...at],
    ["pub", "no-receivers", "a", "x", "--request", ...at],
    ["sub", "too-few-messages", "a", "--count", "1", ...short, ...at],
    ["sub", "timed-out", "a", "--wait", "--timeout", "30ms", "-s", dead],
    ["sub", "forbidden", "_nothing.x", "--count", "1", ...at],
    ["sub", "too-few-messages", "--stream", "orders", "--count", "1", ...short, ...at],
    ["sub", "no-stream", "--stream", "none", ...at],
    ["sub", "no-stream", "--stream", "none", "--consumer", "c", "--each", "true", ...at],
    ["stream", "no-stream", "info", "none", ...at],
    ["stream", "stream-exists", "create", "orders", "orders.>", ...at],
    ["stream", "no-consumer", "redrive", "orders", "none", ...at],
    ["stream", undefined, "backup", file, ...at],
    ["stream", "storage-failed", "backup", file, "--store", store],
    ["stream", "locked", "verify", "--store", store],
    ["stream", undefined, "verify", "--store", damaged],
    ["stream", "not-a-database", "repair", "--store", damaged],
    ["stream", "failed", "verify", "--store", scratch.at("none")],
    ["index", "index-failed", "check", scratch.at("none")],
    ["health", "refused", dead],
    ["app-client", undefined, where, "search", "x"],
    ["load", undefined, dead, "--count", "1"],
    ["load", undefined, formatAddress(echo.address), "--count", "1", "--fail-if", "errors<1"],
    ["multiconn-client", "connect", dead, "1"],
  ];
  for (const [command, code, ...args] of lines) {
    const what = `${command} ${args.join(" ")}`;
    const { last } = await failed(command, ...args, "--json");
    assertEquals(last.code, code, what);
  }
});

Deno.test("without --json, or with it after --, stdout stays empty", async () => {
  for (const args of [["echo-client", "--nonsense"], ["echo-client", ":1", "--", "--json", "x"]]) {
    const host = new FakeHost(args);
    assert(await runMulti(program, host) !== 0);
    assertEquals(host.outText, "");
  }
});
