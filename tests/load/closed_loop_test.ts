import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { type LoadErrorKind, type LoadOptions, runLoad } from "../../lib/load/mod.ts";
import { listen } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { type FaultName, serveFault, serveReset } from "../support/faulty_servers.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

const encoder = new TextEncoder();

/** Runs a load against an echo server of ours. */
async function load(options: Omit<LoadOptions, "address">) {
  await using server = serveEcho(await listenLocally());
  const result = await deadline(runLoad({ ...options, address: server.address }), "the load");
  return { ...result, served: server.figures() };
}

Deno.test("runLoad() sends a count of messages on each connection and records them all", async () => {
  const { summary, latency, served, intervals } = await load({
    connections: 10,
    count: 50,
    messages: [encoder.encode("hello")],
  });
  assertEquals([summary.messages, summary.bytes, summary.errors], [500, 2_500, 0]);
  assertEquals([summary.connections, summary.mode, latency.count], [10, "closed loop", 500]);
  assertEquals([served.accepted, served.readBytes], [10, 2_500]);
  assertEquals(intervals.reduce((sum, { messages }) => sum + messages, 0), 500);
  const { min, mean, p50, p99, max } = summary.latency_us;
  const ordered = [1, min!, p50!, p99!, max!];
  assertEquals(ordered, ordered.toSorted((a, b) => a - b));
  assert(mean! >= min! && mean! <= max!);
});

Deno.test("runLoad() sends in rounds of the pipeline, a last one smaller", async () => {
  const { summary } = await load({
    connections: 3,
    count: 25,
    pipeline: 8,
    messages: ["a", "bcd", "ef"].map((text) => encoder.encode(text)),
    verify: true,
  });
  // Eight turns of six bytes and the first message once more.
  assertEquals([summary.messages, summary.bytes, summary.errors], [75, 147, 0]);
});

Deno.test("runLoad() sends messages larger than the kernel's buffers", async () => {
  const { summary } = await load({
    connections: 2,
    count: 2,
    messages: [crypto.getRandomValues(new Uint8Array(60_000)), new Uint8Array(8_000_000)],
    verify: true,
  });
  assertEquals([summary.messages, summary.bytes, summary.errors], [4, 16_120_000, 0]);
});

Deno.test("runLoad() with a time longer than timers take goes on until it is told to end", async () => {
  const month = 30 * 86_400_000;
  for (const times of [{ durationMs: month }, { durationMs: 1, warmupMs: month }]) {
    await using server = serveEcho(await listenLocally());
    const { address } = server;
    const controller = new AbortController();
    const { signal } = controller;
    const running = runLoad({ ...times, address, signal });
    // A timer that was set for longer than it takes would fire after 1 ms.
    const startedAt = performance.now();
    await until(() => performance.now() - startedAt > 30 && server.figures().readBytes > 10_000);
    controller.abort();
    const { interrupted, summary } = await deadline(running, "the load");
    assertEquals([interrupted, summary.errors], [true, 0]);
  }
});

Deno.test("runLoad() with a duration ends in time, and does not record its warm-up", async () => {
  const { summary, served } = await load({ connections: 4, durationMs: 150, warmupMs: 100 });
  assert(summary.duration_s >= 0.14, `${summary.duration_s}`);
  assert(summary.messages > 0 && summary.bytes === summary.messages * 64);
  assert(summary.bytes < served.readBytes, "the warm-up was recorded");
  assertEquals(summary.errors, 0);
});

Deno.test("runLoad() shares connections out to threads and merges what they measured", async () => {
  const { summary, latency, served } = await load({ connections: 5, count: 20, workers: 2 });
  assertEquals([summary.messages, summary.errors, latency.count], [100, 0, 100]);
  assertEquals([served.accepted, served.readBytes], [5, 6_400]);
});

Deno.test("runLoad() works over TLS, IPv6 and Unix sockets", async () => {
  using scratch = new Scratch();
  const windows = Deno.build.os === "windows";
  for (
    const address of [
      { ...LOOPBACK, hostname: "::1" },
      ...(windows ? [] : [{ transport: "unix", path: scratch.at("s") } as const]),
    ]
  ) {
    await using server = serveEcho(await listen(address));
    const { summary } = await runLoad({ address: server.address, connections: 3, count: 3 });
    assertEquals([summary.messages, summary.errors], [9, 0]);
  }
  await using server = serveEcho(await listen(LOOPBACK, { tls: SERVER_TLS }));
  const tls = { caCerts: [CA] };
  const { summary } = await runLoad({ address: server.address, tls, connections: 3, count: 3 });
  assertEquals([summary.messages, summary.errors], [9, 0]);
});

Deno.test("runLoad() opens connections at the rate asked for", async () => {
  const at: number[] = [];
  const begunAt = performance.now();
  await load({
    connections: 5,
    count: 1,
    connectRatePerSecond: 100,
    observer: { connecting: () => void at.push(performance.now()) },
  });
  assertEquals(at.length, 5);
  // On a busy machine the first may be as late as the last.
  assert(at[4]! - begunAt >= 35, `${at[4]! - begunAt} ms for four intervals of 10 ms`);
});

const EXPECTED: Readonly<Record<FaultName, [LoadErrorKind, string]>> = {
  wrong: ["wrong", "the echo differs at byte 3: 0x"],
  short: ["closed", "the server closed it after 3 bytes"],
  surplus: ["wrong", "the server sent 1 byte too many"],
  silent: ["no-answer", "no byte came for 80 ms"],
  closing: ["closed", "the server closed it after 0 bytes"],
};

for (const [fault, [kind, message]] of Object.entries(EXPECTED)) {
  Deno.test(`runLoad() tells of a server that is ${fault}, and ends`, async () => {
    await using server = await serveFault(fault as FaultName);
    const { summary, failures } = await deadline(
      runLoad({ address: server.address, connections: 3, count: 2, answerTimeoutMs: 80 }),
    );
    // A surplus byte comes behind a right answer.
    const answered = fault === "surplus" ? 3 : 0;
    const unanswered = answered > 0 ? {} : { unanswered: 3 };
    assertEquals(summary.errors_by_kind, { [kind]: 3, ...unanswered, "not-sent": 3 });
    assertEquals([summary.due, summary.sent, summary.answered], [6, 3, answered]);
    assert(summary.ended_early !== undefined);
    assertStringIncludes(failures.get(kind)!, message);
  });
}

Deno.test("runLoad() tells of resets and of connections that cannot be made", async () => {
  const address = await (async () => {
    await using server = await serveReset();
    const { summary } = await runLoad({ address: server.address, connections: 2, count: 1 });
    assertEquals(summary.errors_by_kind, { reset: 2, unanswered: 2 });
    return server.address;
  })();
  const { summary, failures } = await runLoad({ address, connections: 2, count: 1 });
  assertEquals(summary.errors_by_kind, { connect: 2, "not-sent": 2 });
  assertStringIncludes(summary.ended_early!.reason, "no connection could be made");
  assertEquals([summary.connections, summary.connections_failed, summary.messages], [0, 2, 0]);
  assertStringIncludes(failures.get("connect")!, "the connection was refused");
});

Deno.test("runLoad() goes on with the others when one connection fails", async () => {
  // One place is taken by a connection that the load does not know of.
  await using server = serveEcho(await listenLocally(), { maxConnections: 3 });
  const { summary } = await runLoad({ address: server.address, connections: 5, count: 10 });
  assertEquals([summary.due, summary.answered, summary.ended_early], [50, 30, undefined]);
  const { closed = 0, reset = 0, unanswered = 0, "not-sent": notSent = 0 } = summary.errors_by_kind;
  assertEquals([closed + reset, unanswered + notSent], [2, 20]);
});

Deno.test("runLoad() without verify compares only the first message of a connection", async () => {
  const { createServer } = await import("node:net");
  let replies = 0;
  const server = createServer((socket) => {
    socket.on("data", (bytes: Uint8Array) => {
      if (++replies === 3) bytes[0]! ^= 1;
      socket.write(bytes);
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as { port: number };
  const address = { ...LOOPBACK, port };
  assertEquals((await runLoad({ address, count: 5 })).summary.errors, 0);
  replies = 0;
  const { summary } = await runLoad({ address, count: 5, verify: true });
  assertEquals(summary.errors_by_kind, { wrong: 1, unanswered: 1, "not-sent": 2 });
  assertEquals(summary.messages, 2);
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
});

Deno.test("runLoad() ends early with what it has when its signal is aborted", async () => {
  for (const workers of [1, 2]) {
    const controller = new AbortController();
    const { summary, interrupted } = await load({
      connections: 2,
      workers,
      durationMs: 60_000,
      signal: controller.signal,
      observer: { started: () => void setTimeout(() => controller.abort(), 100) },
    });
    assert(interrupted && summary.messages > 0);
    assertEquals(summary.errors, 0);
  }
});
