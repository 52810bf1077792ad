import { assert, assertEquals } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { runLoad } from "../../lib/load/mod.ts";
import { serveConnections } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { serveFault } from "../support/faulty_servers.ts";
import { listenLocally } from "../support/peers.ts";

Deno.test("runLoad() with a rate sends every message of the schedule, once", async () => {
  await using server = serveEcho(await listenLocally());
  const { summary } = await deadline(runLoad({
    address: server.address,
    connections: 7,
    ratePerSecond: 2_000,
    durationMs: 250,
    verify: true,
  }));
  assertEquals([summary.messages, summary.errors], [500, 0]);
  assertEquals([summary.mode, summary.target_messages_per_s], ["open loop", 2_000]);
  assert(summary.send_lateness_us && summary.service_us);
});

Deno.test("runLoad() with a rate and a count sends that many per connection, in threads too", async () => {
  await using server = serveEcho(await listenLocally());
  for (const workers of [1, 3]) {
    const { summary } = await deadline(runLoad({
      address: server.address,
      connections: 5,
      count: 20,
      ratePerSecond: 5_000,
      messages: ["one", "three"].map((text) => new TextEncoder().encode(text)),
      verify: true,
      workers,
    }));
    assertEquals([summary.messages, summary.bytes, summary.errors], [100, 400, 0]);
  }
});

Deno.test("runLoad() counts latency from when messages were due: a stall shows in all that waited", async () => {
  const STALL_MS = 200;
  // Answers nothing for a while, then everything.
  const listener = await listenLocally();
  await using server = serveConnections(listener, {
    async serve(connection) {
      const { input, output } = connection;
      let resumeAt: number | undefined;
      while (await connection.read()) {
        // From the first message on: a busy machine may begin long after it has connected.
        resumeAt ??= performance.now() + STALL_MS;
        const waitMs = resumeAt - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        output.buffer.append(input.bytes.subarray(input.start, input.end));
        input.consume(input.end - input.start);
        output.flush();
      }
    },
  });
  const { summary } = await deadline(runLoad({
    address: server.address,
    ratePerSecond: 1_000,
    durationMs: 2 * STALL_MS,
  }));
  const { latency_us, messages } = summary;
  assertEquals(messages, 400);
  // A closed loop would have had one slow message. Here half of them waited, on the average for
  // half of the stall.
  assert(latency_us.max! >= STALL_MS * 950, `max ${latency_us.max} µs`);
  assert(latency_us.mean! >= STALL_MS * 200, `mean ${latency_us.mean} µs`);
  assert(latency_us.p90! >= STALL_MS * 700, `p90 ${latency_us.p90} µs`);
});

Deno.test("runLoad() with a rate counts what stays without an answer, and ends", async () => {
  await using server = await serveFault("silent");
  const { summary } = await deadline(runLoad({
    address: server.address,
    connections: 2,
    ratePerSecond: 100,
    durationMs: 100,
    answerTimeoutMs: 150,
    // It ends as soon as both connections are given up, however late a busy machine notices.
    drainTimeoutMs: 20_000,
  }));
  assertEquals(summary.messages, 0);
  assertEquals(summary.errors_by_kind, { "no-answer": 2, unanswered: 10 });
});

Deno.test("runLoad() with a rate gives the messages of failed connections to the others", async () => {
  await using server = serveEcho(await listenLocally(), { maxConnections: 2 });
  const { summary } = await deadline(runLoad({
    address: server.address,
    connections: 4,
    ratePerSecond: 1_000,
    durationMs: 300,
  }));
  const { unanswered, answered, due, sent } = summary;
  const lost = unanswered + due - sent;
  assertEquals([due, answered + lost], [300, 300]);
  // Half of them, if nobody took them over.
  assert(lost < 120, `${lost} messages went to connections that had failed`);
});

Deno.test("runLoad() with a slow rate ends at once when its signal is aborted", async () => {
  await using server = serveEcho(await listenLocally());
  const controller = new AbortController();
  const { interrupted } = await deadline(runLoad({
    address: server.address,
    ratePerSecond: 0.01,
    durationMs: 600_000,
    signal: controller.signal,
    observer: { started: () => void setTimeout(() => controller.abort(), 20) },
  }));
  assert(interrupted);
});
