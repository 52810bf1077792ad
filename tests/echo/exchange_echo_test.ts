import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { EchoError, exchangeEcho, serveEcho } from "../../lib/echo/mod.ts";
import { ConnectionError } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";
import { type FaultName, serveFault, serveReset } from "../support/faulty_servers.ts";

/** A stream of chunks, made one by one as they are asked for. */
function streamOf(chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

async function failure(name: FaultName, idleTimeoutMs?: number): Promise<EchoError> {
  await using server = await serveFault(name);
  const source = new Blob(["hello"]).stream();
  return await assertRejects(
    () => deadline(exchangeEcho(server.address, source, { idleTimeoutMs })),
    EchoError,
  );
}

Deno.test("exchangeEcho() ends when exactly what was sent has come back", async () => {
  await using server = serveEcho(await listenLocally());
  const shown: string[] = [];
  const { bytes } = await exchangeEcho(server.address, new Blob(["hello"]).stream(), {
    sent: (bytes) => void shown.push(`> ${new TextDecoder().decode(bytes)}`),
    received: (bytes) => void shown.push(`< ${new TextDecoder().decode(bytes)}`),
  });
  assertEquals(bytes, 5);
  assertEquals(shown, ["> hello", "< hello"]);
});

Deno.test("exchangeEcho() of an empty stream ends at once", async () => {
  await using server = serveEcho(await listenLocally());
  const { bytes } = await exchangeEcho(server.address, new Blob([]).stream());
  assertEquals(bytes, 0);
});

Deno.test("exchangeEcho() compares a large stream of uneven chunks", async () => {
  await using server = serveEcho(await listenLocally());
  const chunks = Array.from(
    { length: 300 },
    (_, i) => crypto.getRandomValues(new Uint8Array(1 + i * 211)),
  );
  const total = chunks.reduce((sum, { length }) => sum + length, 0);
  const { bytes } = await exchangeEcho(server.address, streamOf(chunks));
  assertEquals(bytes, total);
});

Deno.test("exchangeEcho() names the first byte that differs", async () => {
  const error = await failure("wrong");
  assertEquals([error.code, error.offset, error.sentBytes], ["wrong-byte", 3, 5]);
  assertEquals(error.message, "The echo differs at byte 3: 0x93 came, 0x6c was sent");
});

Deno.test("exchangeEcho() tells of an echo that is too short, too long, or never comes", async () => {
  const short = await failure("short");
  assertEquals([short.code, short.offset], ["closed", 3]);
  assertStringIncludes(short.message, "3 of 5 bytes came back");
  const surplus = await failure("surplus");
  assertEquals([surplus.code, surplus.offset], ["surplus", 5]);
  const silent = await failure("silent", 50);
  assertEquals([silent.code, silent.offset], ["timed-out", 0]);
  const closing = await failure("closing");
  assertEquals([closing.code, closing.offset], ["closed", 0]);
});

Deno.test("exchangeEcho() tells of a reset and of a connection that cannot be made", async () => {
  const address = await (async () => {
    await using server = await serveReset();
    const source = new Blob(["hello"]).stream();
    const error = await assertRejects(() => exchangeEcho(server.address, source), ConnectionError);
    assertEquals(error.code, "reset");
    return server.address;
  })();
  const error = await assertRejects(
    () => exchangeEcho(address, new Blob(["x"]).stream()),
    ConnectionError,
  );
  assertEquals([error.code, error.operation], ["refused", "connect"]);
});

Deno.test("exchangeEcho() holds a bounded number of bytes that do not come back", async () => {
  await using server = await serveFault("silent");
  let made = 0;
  function* endless() {
    while (true) {
      made += 1_048_576;
      yield new Uint8Array(1_048_576);
    }
  }
  const error = await assertRejects(
    () => deadline(exchangeEcho(server.address, streamOf(endless()), { idleTimeoutMs: 200 })),
    EchoError,
  );
  assertEquals(error.code, "timed-out");
  assert(made <= 20 * 1_048_576, `${made} bytes were taken from the stream`);
});

Deno.test("exchangeEcho() gives up when its signal is aborted, and cancels the stream", async () => {
  await using server = serveEcho(await listenLocally());
  const controller = new AbortController();
  let cancelled = false;
  const source = new ReadableStream<Uint8Array>({
    cancel() {
      cancelled = true;
    },
  });
  const reason = new Error("enough");
  const exchange = exchangeEcho(server.address, source, {
    signal: controller.signal,
    connected: () => controller.abort(reason),
  });
  assertEquals(await assertRejects(() => deadline(exchange)), reason);
  assert(cancelled);
});

Deno.test("exchangeEcho() lets a conversation be silent while nothing is due", async () => {
  await using server = serveEcho(await listenLocally());
  const echoed = Promise.withResolvers<void>();
  const source = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first\n"));
      await echoed.promise;
      // Several times the idle time.
      setTimeout(() => {
        controller.enqueue(new TextEncoder().encode("second\n"));
        controller.close();
      }, 150);
    },
  });
  const { bytes } = await deadline(exchangeEcho(server.address, source, {
    idleTimeoutMs: 40,
    received: () => echoed.resolve(),
  }));
  assertEquals(bytes, 13);
});
