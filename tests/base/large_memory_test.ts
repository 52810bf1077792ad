import { assertEquals } from "@std/assert";
import { LARGE_BYTES, onLargeMemory } from "../../lib/base/large_memory.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { RawClient } from "../support/peers.ts";

const ANYWHERE = "127.0.0.1:0";

Deno.test("servers use large memory from the first large frame on, and that is told once", async () => {
  let told = 0;
  onLargeMemory(() => told++);
  const maxContentBytes = 2 * LARGE_BYTES;
  await using requests = await serveRequests(ANYWHERE, () => "an answer", { maxContentBytes });
  await using broker = await serveBroker(ANYWHERE, { maxContentBytes });
  using requester = await RawClient.connect(requests.address);
  using publisher = await RawClient.connect(broker.address);
  for (const [bytes, times] of [[10_000, 0], [LARGE_BYTES, 1]] as const) {
    for (const client of [publisher, requester]) {
      // A ping with content is answered, too: the frame was read as a whole.
      await client.send({ header: { op: "ping", id: 1 }, content: new Uint8Array(bytes) });
      await client.answer();
    }
    assertEquals(told, times);
  }
  onLargeMemory(() => told++);
  assertEquals(told, 2, "who asks later is told at once");
});
