import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { encodeFrame, type OutgoingFrame } from "../../../lib/frame/mod.ts";
import { type ReplyInit, serveRequests } from "../../../lib/request/mod.ts";
import type { Server } from "../../../lib/net/mod.ts";
import { pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";
import { residentBytes, script, ServerProgram } from "../../support/programs.ts";

const MAX_PENDING = 262_144;
const ANSWER_BYTES = 100_000;

/** Sends requests until the server takes no more; the sending goes on until the client closes. */
async function flood(client: RawClient, request: OutgoingFrame, made: () => number) {
  const bytes = encodeFrame(request);
  const chunk = new Uint8Array(bytes.length * 500);
  for (let at = 0; at < chunk.length; at += bytes.length) chunk.set(bytes, at);
  const sending = (async () => {
    while (true) await client.conn.write(chunk);
  })().catch(() => {});
  let last = -1;
  // At rest: no request was taken between two looks.
  await until(async () => {
    const before = made();
    await pause(150);
    const isResting = before > 0 && before === made() && before === last;
    last = before;
    return isResting;
  }, "the server takes no more");
  return { sending };
}

function pendingBytes(server: Server): number {
  return [...server.connections].reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
}

/** Answers that are being made by a timer: a server that has ended waits for none of them. */
let pausing = 0;

const KINDS: Record<string, (content: string) => ReplyInit | Promise<ReplyInit>> = {
  "at once": (content) => ({ content }),
  later: async (content) => {
    await Promise.resolve();
    return { content };
  },
  "after a while": async (content) => {
    pausing++;
    await pause(1);
    pausing--;
    return { content };
  },
};

for (const [when, answer] of Object.entries(KINDS)) {
  Deno.test(`a client that reads nothing has a bounded number of answers made ${when}`, async () => {
    const content = "x".repeat(ANSWER_BYTES);
    let made = 0;
    const observer = new Recorder();
    await using server = serveRequests(await listenLocally(), (request) => {
      if (request.text() === "small") return { content: "small" };
      made++;
      return answer(content);
    }, { maxPendingBytes: MAX_PENDING, maxPipelined: 8, observer });
    using greedy = await RawClient.connect(server.address);
    const { sending } = await flood(greedy, { content: "large" }, () => made);
    // What is pending, and what may be at work at one time beyond it.
    assertLess(pendingBytes(server), MAX_PENDING + 9 * (ANSWER_BYTES + 200));
    // Others are served as ever.
    using other = await RawClient.connect(server.address);
    for (let i = 0; i < 50; i++) {
      await other.send({ content: "small" });
      assertEquals((await other.answer())?.text(), "small");
    }
    // Once it reads, it goes on.
    const before = made;
    for (let i = 0; i < before + 20; i++) {
      assertEquals((await greedy.answer())?.content.length, ANSWER_BYTES);
    }
    greedy.close();
    await sending;
    await observer.ended(1);
    assertEquals(observer.requestErrors, []);
    await until(() => pausing === 0, "no answer is being made");
  });
}

Deno.test("while answers are large, fewer requests are at work at one time", async () => {
  let working = 0;
  let most = 0;
  await using server = serveRequests(await listenLocally(), async (request) => {
    most = Math.max(most, ++working);
    await pause(1);
    working--;
    return { content: "x".repeat(Number(request.text())) };
  }, { maxPendingBytes: MAX_PENDING, maxPipelined: 100 });
  using client = await RawClient.connect(server.address);
  const ask = async (size: number) => {
    most = 0;
    const bytes = encodeFrame({ content: `${size}` });
    const all = new Uint8Array(bytes.length * 200);
    for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
    await client.send(all);
    for (let i = 0; i < 200; i++) assertEquals((await client.answer())?.content.length, size);
    return most;
  };
  // Nobody knows before the first answers; then there are as many as the limit lets be.
  await ask(ANSWER_BYTES);
  assertLess(await ask(ANSWER_BYTES), 4);
  await ask(10);
  assertGreater(await ask(10), 8);
});

Deno.test("answers that wait for an earlier one are bounded, too", async () => {
  const first = Promise.withResolvers<ReplyInit>();
  let made = 0;
  await using server = serveRequests(await listenLocally(), (request) => {
    if (request.text() === "first") return first.promise;
    made++;
    return { content: "x".repeat(ANSWER_BYTES) };
  }, { maxPendingBytes: MAX_PENDING, maxPipelined: 1_000 });
  using client = await RawClient.connect(server.address);
  await client.send({ content: "first" });
  const { sending } = await flood(client, { content: "large" }, () => made);
  assertLess(made, MAX_PENDING / ANSWER_BYTES + 2);
  first.resolve({ content: "first" });
  assertEquals((await client.answer())?.text(), "first");
  for (let i = 0; i < 20; i++) {
    assertEquals((await client.answer())?.content.length, ANSWER_BYTES);
  }
  client.close();
  await sending;
});

Deno.test("large requests at work are bounded by their bytes, not only by their number", async () => {
  const go = Promise.withResolvers<void>();
  let working = 0;
  await using server = serveRequests(await listenLocally(), async (request) => {
    working++;
    await go.promise;
    return { content: String(request.content.length) };
  }, { maxPendingBytes: MAX_PENDING, maxPipelined: 1_000 });
  using client = await RawClient.connect(server.address);
  const sending = (async () => {
    for (let i = 0; i < 30; i++) await client.send({ content: "x".repeat(ANSWER_BYTES) });
  })();
  await until(() => working >= 3);
  await pause(100);
  assertLess(working, MAX_PENDING / ANSWER_BYTES + 2);
  go.resolve();
  for (let i = 0; i < 30; i++) assertEquals((await client.answer())?.text(), `${ANSWER_BYTES}`);
  await sending;
});

Deno.test("a request above maxPendingBytes is taken all the same, alone", async () => {
  await using server = serveRequests(await listenLocally(), async (request) => {
    await Promise.resolve();
    return { content: request.text() };
  }, { maxPendingBytes: 0 });
  using client = await RawClient.connect(server.address);
  for (const word of ["a", "b", "c"]) await client.send({ content: word.repeat(1_000) });
  for (const word of ["a", "b", "c"]) {
    assertEquals((await client.answer())?.text(), word.repeat(1_000));
  }
});

Deno.test({
  name: "a client that reads nothing costs a server process little memory",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using server = await ServerProgram.start(script("tests/support/large_answers.ts"));
    using other = await RawClient.connect(server.address);
    const ask = async () => {
      await other.send({ content: "10" });
      assertEquals((await other.answer())?.content.length, 10);
    };
    await ask();
    const before = residentBytes(server.pid);
    const clients = await Promise.all(
      Array.from({ length: 4 }, () => RawClient.connect(server.address)),
    );
    const request = encodeFrame({ content: "1000000" });
    let written = 0;
    // 200 requests for 1 MB each, from each of them: 800 MB of answers.
    const floods = clients.map(async (client) => {
      for (let i = 0; i < 200; i++) {
        await client.conn.write(request);
        written++;
      }
    });
    await Promise.all(floods);
    assertEquals(written, 800);
    for (let i = 0; i < 50; i++) await ask();
    const grown = residentBytes(server.pid) - before;
    assertLess(grown, 150_000_000);
    for (const client of clients) client.close();
    await ask();
  },
});

Deno.test("a large upload that keeps coming is not cut off, though it takes long", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), (request) => ({
    content: String(request.content.length),
  }), { observer, frameTimeoutMs: 300 });
  using client = await RawClient.connect(server.address);
  const bytes = encodeFrame({ content: new Uint8Array(2_000_000) });
  const start = performance.now();
  const chunk = 40_000;
  for (let at = 0; at < bytes.length; at += chunk) {
    await client.send(bytes.subarray(at, at + chunk));
    await pause(20);
  }
  assertGreater(performance.now() - start, 600);
  assertEquals(new TextDecoder().decode((await client.answer())?.content), "2000000");
  assert(observer.reasons.length === 0);
});
