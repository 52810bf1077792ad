import { assert, assertEquals, assertLess } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import type { Server } from "../../../lib/net/mod.ts";
import { type RequestHandler, serveRequests } from "../../../lib/request/mod.ts";
import { deadline, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";

const MIB = 1_048_576;

async function serve(handler: RequestHandler) {
  const observer = new Recorder();
  const server = serveRequests(await listenLocally(), handler, {
    observer,
    maxUnfinishedBytes: 24 * MIB,
    maxUnreadBytes: 24 * MIB,
  });
  return { server, observer };
}

/** Sends until all is sent or the server closes. */
async function pour(client: RawClient, bytes: Uint8Array): Promise<void> {
  try {
    await client.send(bytes);
  } catch {
    // That is what the server may do.
  }
}

async function assertServes(server: Server): Promise<void> {
  using healthy = await RawClient.connect(server.address);
  await healthy.send({ content: new Uint8Array(2 * MIB) });
  assertEquals((await healthy.answer())?.text(), "thanks");
}

Deno.test("frames that are never complete do not take all memory; who is refused is told", async () => {
  const { server, observer } = await serve(() => "thanks");
  await using _ = server;
  const whole = encodeFrame({ content: new Uint8Array(14 * MIB) });
  const holders = await Promise.all(
    Array.from({ length: 30 }, () => RawClient.connect(server.address)),
  );
  const answers = holders.map(async (holder) =>
    ((await holder.answer())?.json() as { error?: { code: string } } | undefined)?.error?.code
  );
  await deadline(
    Promise.all(holders.map((holder) => pour(holder, whole.subarray(0, 3 * MIB)))),
    "the senders",
  );
  assert(server.memory.unfinishedBytes <= 24 * MIB);
  assertEquals(await Promise.any(answers), "over-budget");
  await assertServes(server);
  for (const holder of holders) holder.close();
  await Promise.allSettled(answers);
  await observer.ended(31);
  assertEquals(server.memory.unfinishedBytes, 0);
});

Deno.test("requests and answers that wait count, and those end who do not read", async () => {
  const { server, observer } = await serve((request) =>
    request.header["content-length"] === 1 ? new Uint8Array(1 * MIB) : "thanks"
  );
  await using _ = server;
  const request = encodeFrame({ content: new Uint8Array(1) });
  const many = new Uint8Array(request.length * 64);
  for (let i = 0; i < 64; i++) many.set(request, i * request.length);
  const deaf = await Promise.all(
    Array.from({ length: 60 }, () => RawClient.connect(server.address)),
  );
  await deadline(Promise.all(deaf.map((client) => pour(client, many))), "the senders");
  await until(() => observer.reasons.includes("over-budget"), "one that does not read is ended");
  await assertServes(server);
  assertLess(server.memory.unreadBytes, 26 * MIB);
  for (const client of deaf) client.close();
  await observer.ended(61);
  await until(() => server.memory.unreadBytes === 0, "nothing waits");
});

Deno.test("answers that wait for their turn count until they are sent", async () => {
  const first = Promise.withResolvers<string>();
  let requests = 0;
  const { server } = await serve(() => ++requests === 1 ? first.promise : new Uint8Array(100_000));
  await using _ = server;
  using client = await RawClient.connect(server.address);
  for (let i = 0; i < 6; i++) await client.send({ content: new Uint8Array(50_000) });
  await until(() => server.memory.unreadBytes > 500_000, "five answers and a request wait");
  first.resolve("now");
  for (let i = 0; i < 6; i++) await client.answer();
  await until(() => server.memory.unreadBytes === 0, "nothing waits");
});
