import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { ConnectionError, RequestClient } from "../../../lib/request/client/mod.ts";
import { connectRequests, serveRequests } from "../../../lib/request/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { listenLocally, LOOPBACK } from "../../support/peers.ts";
import { Program, script } from "../../support/programs.ts";
import { HeldDuplex, settle } from "./duplexes.ts";

/** A client of a connection that takes nothing, and calls that wait for room. */
async function heldClient(options: { maxOutstanding?: number; maxPendingBytes?: number }) {
  const duplex = new HeldDuplex();
  const client = new RequestClient(duplex, options);
  duplex.hold();
  await settle();
  return { duplex, client };
}

const texts = (duplex: HeldDuplex) => duplex.requests.map((request) => request.text());

Deno.test("any number of calls at one time are answered, each with its own answer", async () => {
  for (const options of [{}, { maxOutstanding: 1 }, { maxOutstanding: 7, maxPendingBytes: 100 }]) {
    let working = 0;
    let most = 0;
    await using server = serveRequests(await listenLocally(), async (request) => {
      most = Math.max(most, ++working);
      await Promise.resolve();
      working--;
      return request.text();
    }, { maxPipelined: 10_000 });
    await using client = await connectRequests(server.address, options);
    const calls = Array.from({ length: 2_000 }, (_, i) => client.request(`${i}`));
    const replies = await deadline(Promise.all(calls));
    assertEquals(replies.map((reply) => reply.text()), calls.map((_, i) => `${i}`));
    assertEquals([client.outstanding, client.waiting], [0, 0]);
    assert(most <= (options.maxOutstanding ?? 1_024), `${most} at work`);
  }
});

Deno.test("no more are sent than maxOutstanding says; the others follow in order", async () => {
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex, { maxOutstanding: 3 });
  const calls = Array.from({ length: 8 }, (_, i) => client.request(`${i}`));
  await settle();
  assertEquals([texts(duplex), client.outstanding, client.waiting], [["0", "1", "2"], 3, 5]);
  for (let i = 0; i < 8; i++) {
    duplex.answer({ content: `answer ${i}` });
    assertEquals((await calls[i])?.text(), `answer ${i}`);
    await settle();
    assertEquals(duplex.requests.length, Math.min(8, 4 + i));
  }
  assertEquals(texts(duplex), ["0", "1", "2", "3", "4", "5", "6", "7"]);
});

Deno.test("no more bytes are pending than maxPendingBytes says, and a larger request goes alone", async () => {
  const { duplex, client } = await heldClient({ maxPendingBytes: 1_000 });
  await using _ = client;
  const content = "x".repeat(400);
  const calls = Array.from({ length: 9 }, (_, i) => client.request(`${i}${content}`));
  calls.push(client.request("large".padEnd(5_000, ".")));
  calls.push(client.request("last"));
  await settle();
  // Two of about 500 bytes are below the limit, the next one passes it.
  assertEquals([client.outstanding, client.waiting], [2, 9]);
  duplex.release();
  await until(() => duplex.requests.length === calls.length);
  assertEquals(texts(duplex).map((text) => text[0]), [..."012345678ll"]);
  for (const [i, call] of calls.entries()) {
    duplex.answer({ content: `${i}` });
    assertEquals((await call).text(), `${i}`);
  }
});

Deno.test("what waits is not encoded, and follows what becomes of it until then", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 1 });
  await using _ = client;
  const first = client.request("first");
  const content = new Uint8Array(4);
  const second = client.request(content);
  content.fill(7);
  duplex.release();
  duplex.answer({ content: "1" });
  await first;
  await until(() => duplex.requests.length === 2);
  assertEquals([...duplex.requests[1]!.content], [7, 7, 7, 7]);
  duplex.answer({ content: "2" });
  await second;
});

Deno.test({
  name: "500 calls at one time with 1 MiB each take a small part of their bytes in memory",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await serveRequests(
      LOOPBACK,
      (request) => String(request.content.length),
    );
    const { port } = server.address as { port: number };
    const args = script("tests/support/many_large_requests.ts", String(port));
    await using program = new Program(args);
    const { code, out, err } = await program.finished();
    assertEquals([code, err], [0, ""]);
    const { answers, requestBytes, grownBytes } = JSON.parse(out);
    assertEquals(answers, 500);
    assertLess(grownBytes / (answers * requestBytes), 0.3);
  },
});

Deno.test("ready() tells when there is room", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 2 });
  await using _ = client;
  await deadline(client.ready());
  const calls = [client.request("a"), client.request("b"), client.request("c")];
  let ready = 0;
  const both = [client.ready(), client.ready()].map((promise) => promise.then(() => ready++));
  duplex.release();
  await until(() => duplex.requests.length === 2);
  duplex.answer({ content: "A" });
  await calls[0];
  await until(() => duplex.requests.length === 3);
  // The call that waited has the room.
  assertEquals(ready, 0);
  duplex.answer({ content: "B" });
  await deadline(Promise.all(both));
  const last = client.request("d");
  assertEquals([client.outstanding, client.waiting], [2, 0]);
  duplex.answer({ content: "C" }, { content: "D" });
  assertEquals((await last).text(), "D");
});

Deno.test("ready() waits for bytes to be taken, too", async () => {
  const { duplex, client } = await heldClient({ maxPendingBytes: 100 });
  await using _ = client;
  const call = client.request("x".repeat(500));
  let isReady = false;
  const ready = client.ready().then(() => isReady = true);
  await settle();
  assertEquals(isReady, false);
  duplex.release();
  await deadline(ready);
  duplex.answer({ content: "" });
  await call;
});

Deno.test("a call that waits honours its time limit, and the connection goes on", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 1 });
  await using _ = client;
  const first = client.request("first");
  const hasty = client.request("hasty", { timeoutMs: 20 });
  const patient = client.request("patient", { timeoutMs: 60_000 });
  const error = await assertRejects(() => deadline(hasty), ConnectionError);
  assertEquals(error.code, "timed-out");
  assertEquals((error.cause as Error).message, "there was no room for the request in time");
  assertEquals([client.ended, client.waiting], [false, 1]);
  duplex.release();
  duplex.answer({ content: "1" });
  await first;
  await until(() => duplex.requests.length === 2);
  duplex.answer({ content: "2" });
  assertEquals((await patient).text(), "2");
  assertEquals(texts(duplex), ["first", "patient"]);
});

Deno.test("the time limit counts from the call, also for what is sent later", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 1 });
  const first = client.request("first");
  const second = client.request("second", { timeoutMs: 500 });
  duplex.release();
  duplex.answer({ content: "1" });
  await first;
  await until(() => duplex.requests.length === 2);
  const error = await assertRejects(() => deadline(second), ConnectionError);
  assertEquals([error.code, client.ended], ["timed-out", true]);
});

Deno.test("a call that waits can be aborted, and is not sent then", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 1 });
  await using _ = client;
  const first = client.request("first");
  const abort = new AbortController();
  const aborted = client.request("aborted", { signal: abort.signal });
  const next = client.request("next");
  abort.abort("not wanted");
  assertEquals(await aborted.catch((error) => error), "not wanted");
  assertEquals(client.waiting, 1);
  duplex.release();
  duplex.answer({ content: "1" }, { content: "2" });
  assertEquals([(await first).text(), (await next).text()], ["1", "2"]);
  assertEquals(texts(duplex), ["first", "next"]);
});

Deno.test("a call that is aborted before it is made sends nothing", async () => {
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex);
  const signal = AbortSignal.abort("before");
  assertEquals(await client.request("x", { signal }).catch((error) => error), "before");
  await settle();
  assertEquals([client.outstanding, duplex.written], [0, 0]);
});

Deno.test("a call that is aborted once it is sent drops its answer; the others get theirs", async () => {
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex);
  const abort = new AbortController();
  const calls = [
    client.request("a"),
    client.request("b", { signal: abort.signal }),
    client.request("c"),
  ];
  await settle();
  abort.abort("enough");
  assertEquals(await calls[1]!.catch((error) => error), "enough");
  assertEquals(client.outstanding, 3);
  duplex.answer({ content: "A" }, { content: "B" }, { content: "C" });
  assertEquals((await calls[0]!).text(), "A");
  assertEquals((await calls[2]!).text(), "C");
  assertEquals(client.ended, false);
});

Deno.test("a signal that outlives its calls keeps nothing of them", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const counting = new Proxy(signal, {
    get(target, name) {
      if (name === "addEventListener") listeners++;
      if (name === "removeEventListener") listeners--;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const duplex = new HeldDuplex();
  await using client = new RequestClient(duplex, { maxOutstanding: 2 });
  const calls = [1, 2, 3, 4].map((i) => client.request(`${i}`, { signal: counting }));
  assertEquals(listeners, 4);
  for (let i = 0; i < 4; i++) duplex.answer({ content: "x" });
  await Promise.all(calls);
  assertEquals(listeners, 0);
});

Deno.test("a call that waits and cannot be encoded fails alone", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 1 });
  await using _ = client;
  const first = client.request("first");
  const wrong = [
    client.request({ header: { x: "y".repeat(70_000) } }).catch((error) => error),
    client.request({ result: 5 } as never).catch((error) => error),
  ];
  const next = client.request("next");
  duplex.release();
  duplex.answer({ content: "1" }, { content: "2" });
  assertEquals([(await first).text(), (await next).text()], ["1", "2"]);
  assertInstanceOf(await wrong[0], RangeError);
  assertInstanceOf(await wrong[1], TypeError);
  assertEquals(texts(duplex), ["first", "next"]);
});

Deno.test("close() lets calls that wait fail at once, and waits for what is sent", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 2 });
  const sent = [client.request("a"), client.request("b")];
  const waiting = [client.request("c"), client.request("d", { timeoutMs: 60_000 })];
  const ready = client.ready();
  const closed = client.close();
  for (const promise of [...waiting, ready, client.ready(), client.request("e")]) {
    const error = await assertRejects(() => deadline(promise as Promise<unknown>), ConnectionError);
    assertEquals(error.code, "closed");
  }
  duplex.release();
  duplex.answer({ content: "A" }, { content: "B" });
  assertEquals((await Promise.all(sent)).map((reply) => reply.text()), ["A", "B"]);
  await deadline(closed);
  assertEquals([duplex.closed, texts(duplex)], [true, ["a", "b"]]);
});

Deno.test("the end of the connection lets all calls fail, those that wait too", async () => {
  const ends: ((duplex: HeldDuplex, client: RequestClient) => unknown)[] = [
    (duplex) => duplex.end(),
    (_, client) => client[Symbol.asyncDispose](),
    (duplex) => duplex.give(new Uint8Array([0, 0])),
  ];
  for (const end of ends) {
    const { duplex, client } = await heldClient({ maxOutstanding: 1 });
    const calls = [client.request("a"), client.request("b"), client.request("c"), client.ready()];
    const errors = calls.map((call) => (call as Promise<unknown>).catch((error) => error));
    void end(duplex, client);
    const all = await deadline(Promise.all(errors));
    assertEquals(new Set(all).size, 1);
    assertInstanceOf(all[0], Error);
    await deadline(client.closed);
    assertEquals([client.waiting, client.outstanding, duplex.closed], [0, 0, true]);
  }
});

Deno.test("a connection that takes nothing more is given up, and its answers are still read", async () => {
  const { duplex, client } = await heldClient({ maxOutstanding: 2 });
  const calls = [client.request("a"), client.request("b"), client.request("c")];
  const errors = calls.map((call) => call.then((reply) => reply.text(), (error) => error));
  duplex.failure = new Error("the wire is cut");
  duplex.release();
  // It was answered before.
  duplex.answer({ content: "A" });
  const [first, ...lost] = await deadline(Promise.all(errors));
  assertEquals(first, "A");
  for (const error of lost) {
    assertInstanceOf(error, ConnectionError);
    assertEquals([error.operation, (error.cause as Error).message], ["write", "the wire is cut"]);
  }
  await deadline(client.closed);
});

Deno.test("wrong limits are refused, and undefined is the default", async () => {
  const duplex = () => new HeldDuplex();
  const wrong = [
    { maxOutstanding: 0 },
    { maxOutstanding: NaN },
    { maxPendingBytes: -1 },
    { maxContentBytes: 0.5 },
    { streamTimeoutMs: -1 },
  ];
  for (const options of wrong) {
    await assertRejects(async () => await new RequestClient(duplex(), options).close(), RangeError);
  }
  await using server = serveRequests(await listenLocally(), () => "x");
  for (const options of wrong) {
    await assertRejects(() => connectRequests(server.address, options), RangeError);
  }
  await until(() => server.connections.size === 0);
  await new RequestClient(duplex(), {
    maxOutstanding: undefined,
    maxPendingBytes: undefined,
    maxContentBytes: undefined,
    streamTimeoutMs: undefined,
    remote: undefined,
  }).close();
});
