import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { RequestClient, serveRequests } from "../../lib/request/mod.ts";
import { describePlan, LoadError, type LoadExchange, runLoad } from "../../lib/load/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";

const MODULE = new URL("./shouting_exchange.ts", import.meta.url);

Deno.test("runLoad() has an exchange of the user's own make each message, and tells kinds apart", async () => {
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: request.text().toUpperCase(),
  }));
  for (const ratePerSecond of [undefined, 1_000]) {
    const { summary } = await deadline(runLoad({
      address: server.address,
      connections: 2,
      count: 30,
      ratePerSecond,
      exchange(conn, id) {
        const client = new RequestClient(conn);
        return async ({ seq, connection }) => {
          assertEquals(connection, id);
          const reply = await client.request({ content: `message ${seq}` });
          const kind = seq % 3 === 0 ? "third" : "other";
          const error = reply.text() === `MESSAGE ${seq}` && seq !== 5 ? undefined : "not so";
          return { bytes: reply.bytes.length, kind, error };
        };
      },
    }));
    assertEquals([summary.answered, summary.errors_by_kind], [60, { refused: 1 }]);
    assertEquals(summary.wrong_answers, { "not so": 1 });
    const { third, other } = summary.kinds!;
    assertEquals([third!.messages, other!.messages, other!.errors], [20, 40, 1]);
    assert(third!.latency_us.p50! > 0 && summary.bytes > 0);
  }
});

Deno.test("runLoad() loads the module of an exchange in each worker", async () => {
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: request.text().toUpperCase(),
  }));
  for (const workers of [1, 2]) {
    const { summary, settings } = await deadline(runLoad({
      address: server.address,
      connections: 4,
      count: 10,
      workers,
      exchange: { module: MODULE, options: { text: "hello" } },
    }));
    assertEquals([summary.answered, summary.errors, settings.answer], [40, 0, "exchange"]);
    assertEquals(summary.counts, { shouted: 40 });
  }
});

Deno.test("runLoad() counts exchanges that fail, and ends connections that do", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "" }));
  const run = (error: unknown) =>
    deadline(runLoad({
      address: server.address,
      count: 3,
      exchange: () => () => Promise.reject(error),
    }));
  const one = await run(new Error("out of luck"));
  assertEquals(one.summary.errors_by_kind, { failed: 3 });
  assertEquals(one.summary.wrong_answers, { "out of luck": 3 });
  const all = await run(new LoadError("reset", "gone"));
  assertEquals(all.summary.errors_by_kind, { reset: 1, unanswered: 1, "not-sent": 2 });
  assertEquals(all.failures.get("reset"), "connection 1: gone");
});

Deno.test("runLoad() takes several answers of one message, and counts those that are lost", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "" }));
  const exchange: LoadExchange = {
    answers: 3,
    open: () => (message) => {
      message.answered({ bytes: 2 });
      setTimeout(() => message.answered(), 5);
      if (message.seq !== 4) setTimeout(() => message.answered(), 10);
      return Promise.resolve();
    },
  };
  const { summary, latency } = await deadline(runLoad({
    address: server.address,
    ratePerSecond: 100,
    count: 10,
    drainTimeoutMs: 200,
    exchange,
  }));
  assertEquals([summary.due, summary.sent, summary.answered, summary.unanswered], [10, 10, 9, 1]);
  assertEquals(summary.answers, { due: 30, received: 29 });
  assertEquals([latency.count, summary.bytes], [30, 20]);
});

Deno.test("runLoad() ends although an exchange of the user's own never does what it began", async () => {
  await using server = serveRequests(await listenLocally(), (request) => request.text());
  const never = () => new Promise<never>(() => {});
  const load = (exchange: LoadExchange | LoadExchange["open"], ratePerSecond?: number) =>
    deadline(runLoad({
      address: server.address,
      connections: 2,
      durationMs: 200,
      drainTimeoutMs: 50,
      connectTimeoutMs: 100,
      ratePerSecond,
      exchange,
    }));
  for (const ratePerSecond of [undefined, 100]) {
    const unopened = await load(never, ratePerSecond);
    assertEquals(unopened.summary.errors_by_kind.connect, 2);
    const unanswered = await load(() => never, ratePerSecond);
    assert(unanswered.summary.errors_by_kind.unanswered! >= 2);
  }
});

Deno.test("runLoad() refuses exchanges that make no sense", async () => {
  const address = "127.0.0.1:9";
  const exchange = () => () => Promise.resolve();
  assertThrows(() => describePlan({ address, exchange, workers: 2, connections: 2 }), TypeError);
  assertThrows(() => describePlan({ address, exchange, answer: "close" }), RangeError, "answer");
  const error = await assertRejects(
    () => runLoad({ address, exchange: { module: "data:text/javascript,export const x = 1" } }),
    TypeError,
  );
  assertStringIncludes(error.message, "is not a function");
});
