/** Whatever happens to the server, each message that was due is accounted for. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { serveEcho } from "../../lib/echo/mod.ts";
import { type LoadOptions, type LoadSummary, runLoad } from "../../lib/load/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { Lateness } from "../support/lateness.ts";
import { ownAddress } from "../support/own_address.ts";
import { listenLocally, LOOPBACK } from "../support/peers.ts";

/** An echo server that can be told to fall silent, to cut everybody off, and to come back. */
class FickleServer implements AsyncDisposable {
  silent = false;
  /** When a message came first while it was silent, and how much has come since. */
  silentAt: number | undefined;
  heldBytes = 0;
  /** Messages echoed so far, if each comes in a read of its own. */
  echoed = 0;
  readonly #sockets = new Set<Socket>();
  #server = this.#create();
  readonly address = ownAddress();

  async start(): Promise<this> {
    const listening = Promise.withResolvers<void>();
    const { port, hostname } = this.address;
    this.#server.listen(port, hostname, () => listening.resolve());
    await listening.promise;
    return this;
  }

  async stop(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    for (const socket of this.#sockets) socket.destroy();
    await closed.promise;
  }

  async restart(): Promise<void> {
    this.#server = this.#create();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #create() {
    return createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        if (this.silent) {
          this.silentAt ??= performance.now();
          this.heldBytes += bytes.length;
          return;
        }
        this.echoed++;
        socket.write(bytes);
      });
    });
  }
}

function load(server: FickleServer, options: Omit<LoadOptions, "address">) {
  return deadline(runLoad({ ...options, address: server.address }), "the load");
}

function assertNear(actual: number, expected: number, within: number): void {
  assert(Math.abs(actual - expected) <= within, `${actual} instead of ${expected} ± ${within}`);
}

/** What must hold of any run. */
function check(summary: LoadSummary): void {
  const { due, sent, answered, unanswered, errors_by_kind: errors } = summary;
  assertEquals(sent, answered + unanswered);
  assertEquals(due - sent, errors["not-sent"] ?? 0);
  assertEquals(unanswered, errors.unanswered ?? 0);
  assertEquals(summary.messages, answered);
}

for (const workers of [1, 2]) {
  Deno.test(`a run that is interrupted while the server is silent counts what waits, ${workers} workers`, async () => {
    await using server = await new FickleServer().start();
    const controller = new AbortController();
    const startedAt = performance.now();
    const running = load(server, {
      connections: 4,
      workers,
      ratePerSecond: 500,
      durationMs: 60_000,
      signal: controller.signal,
    });
    await until(() => server.echoed > 100);
    server.silent = true;
    const silentForMs = () => performance.now() - (server.silentAt ?? Infinity);
    await until(() => silentForMs() > 600 && server.heldBytes > 250 * 64);
    controller.abort();
    const result = await running;
    const { summary } = result;
    const tookMs = performance.now() - startedAt;
    check(summary);
    assert(result.interrupted && summary.ended_early === undefined);
    assert(summary.unanswered > 200, `${summary.unanswered} unanswered`);
    // Not all that would have been due in a minute.
    const mostDue = tookMs / 1_000 * 500 + 1;
    assert(summary.due <= mostDue, `${summary.due} were due, of ${mostDue} at most`);
    // They have waited up to as long as the silence lasted, and count so.
    assert(summary.latency_us.max! > 550_000, `max ${summary.latency_us.max}`);
    assert(summary.latency_us.max! < tookMs * 1_000);
    assertEquals(result.latency.count, summary.due);
  });
}

Deno.test("messages without an answer count with their wait when a connection is given up", async () => {
  await using server = await new FickleServer().start();
  server.silent = true;
  const { summary, latency } = await load(server, {
    ratePerSecond: 100,
    durationMs: 100,
    answerTimeoutMs: 300,
  });
  check(summary);
  assertEquals([summary.due, summary.sent, summary.unanswered], [10, 10, 10]);
  assertEquals(latency.count, 10);
  assert(summary.latency_us.p50! > 200_000, `p50 ${summary.latency_us.p50}`);
});

for (const workers of [1, 2]) {
  Deno.test(`a run whose server dies ends early, and the rest of the schedule has failed, ${workers} workers`, async () => {
    await using server = await new FickleServer().start();
    const running = load(server, {
      connections: 4,
      workers,
      ratePerSecond: 500,
      durationMs: 6_000,
    });
    await until(() => server.echoed > 100);
    await server.stop();
    const { summary, interrupted } = await running;
    await server.restart();
    check(summary);
    assertEquals([summary.due, interrupted], [3_000, false]);
    assert(summary.answered > 90 && summary.answered < 2_500, `${summary.answered} answered`);
    const { ended_early: early } = summary;
    assert(early && early.of_s === 6 && early.after_s < 5.5, JSON.stringify(early));
    assertMatch(early.reason, /every connection has failed, the last one so: connection \d: /);
    assertNear(summary.duration_s, early.after_s, 0.2);
  });
}

Deno.test("a run that reconnects goes on after an outage, which shows in the latencies", async () => {
  await using server = await new FickleServer().start();
  const running = load(server, {
    connections: 2,
    ratePerSecond: 200,
    durationMs: 1_500,
    reconnect: true,
  });
  await until(() => server.echoed > 20);
  await server.stop();
  const stoppedAt = performance.now();
  await until(() => performance.now() - stoppedAt > 300);
  await server.restart();
  const { summary } = await running;
  check(summary);
  assertEquals([summary.due, summary.ended_early], [300, undefined]);
  assert(summary.answered > 270, `${summary.answered} answered`);
  assert(summary.latency_us.max! > 250_000, `max ${summary.latency_us.max}`);
  assert((summary.errors_by_kind.closed ?? 0) + (summary.errors_by_kind.reset ?? 0) >= 2);
});

Deno.test("a run with reconnect waits for a server that is not there yet", async () => {
  await using server = await new FickleServer().start();
  await server.stop();
  const running = load(server, { count: 5, connections: 2, reconnect: true, ratePerSecond: 100 });
  await server.restart();
  const { summary } = await running;
  check(summary);
  assertEquals([summary.due, summary.answered], [10, 10]);
});

Deno.test("a run that reconnects waits between tries where connections are ended at once", async () => {
  const server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  let connections = 0;
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const { summary } = await deadline(runLoad({
    address: { ...LOOPBACK, port },
    ratePerSecond: 100,
    durationMs: 300,
    drainTimeoutMs: 50,
    reconnect: true,
  }));
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  check(summary);
  assertEquals([summary.due, summary.answered], [30, 0]);
  assert(connections < 30, `${connections} connections in 350 ms`);
});

Deno.test("what is outstanding when the last message was due is waited for until a bound", async () => {
  // Answers one message in 20 ms.
  const server = createServer((socket) => {
    let backlog = 0;
    socket.on("data", (bytes) => backlog += bytes.length);
    const timer = setInterval(() => {
      if (backlog >= 64) socket.write(pattern);
      backlog = Math.max(0, backlog - 64);
    }, 20);
    socket.on("close", () => clearInterval(timer));
    socket.on("error", () => {});
  });
  const pattern = Uint8Array.from({ length: 64 }, (_, i) => 97 + i % 23);
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", () => listening.resolve());
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  const startedAt = performance.now();
  const { summary } = await deadline(runLoad({
    address: { ...LOOPBACK, port },
    ratePerSecond: 1_000,
    durationMs: 300,
    drainTimeoutMs: 200,
  }));
  const tookMs = performance.now() - startedAt;
  const closed = Promise.withResolvers<void>();
  server.close(() => closed.resolve());
  await closed.promise;
  check(summary);
  assertEquals([summary.due, summary.sent], [300, 300]);
  assert(summary.answered > 0 && summary.unanswered > 200, `${summary.unanswered} unanswered`);
  // All answers would take 6 s.
  assert(tookMs > 490 && tookMs < 5_000, `${tookMs} ms`);
});

Deno.test("seconds without answers have no latencies", async () => {
  await using server = await new FickleServer().start();
  server.silent = true;
  const controller = new AbortController();
  const { intervals } = await load(server, {
    ratePerSecond: 10,
    durationMs: 60_000,
    signal: controller.signal,
    observer: { interval: () => controller.abort() },
  });
  const [first] = intervals;
  assertEquals([first!.messages, first!.latency_us.p50, first!.latency_us.max], [0, null, null]);
  assert(first!.due >= 9 && first!.sent >= 9);
});

Deno.test("the latency of an open loop is the wait before sending and the service time", async () => {
  await using server = serveEcho(await listenLocally());
  const { summary, latency, service, wait } = await deadline(runLoad({
    address: server.address,
    connections: 2,
    messageBytes: 2_000_000,
    ratePerSecond: 200,
    durationMs: 300,
  }));
  check(summary);
  assertEquals([summary.answered, latency.count, service!.count, wait!.count], [60, 60, 60, 60]);
  // Each sum is rounded to microseconds, once for each message.
  assertNear(latency.sum, service!.sum + wait!.sum, 60);
});

Deno.test("an open loop lasts as long as it was to, whatever the workers and connections", async () => {
  await using server = serveEcho(await listenLocally());
  using late = new Lateness();
  for (
    const [ratePerSecond, durationMs, connections, workers, due] of [
      [0.05, 100, 1, 1, 1],
      [1, 300, 20, 3, 1],
      [50, 200, 100, 1, 10],
      [333, 300, 7, 2, 100],
    ] as const
  ) {
    const { summary } = await deadline(runLoad({
      address: server.address,
      ratePerSecond,
      durationMs,
      connections,
      workers,
    }));
    assertEquals([summary.due, summary.answered, summary.errors], [due, due, 0]);
    const moreMs = summary.duration_s * 1_000 - durationMs;
    // Where timers are late, so are answers.
    assert(moreMs > -200 && (moreMs < 200 || late.totalMs > 20), `${moreMs} ms more`);
    // A late last answer makes the run longer, never shorter.
    assert(summary.messages_per_s <= due / durationMs * 1_000 + 0.001);
  }
});
