/** Content of more than 2^32 bytes, from a source that gives one chunk again and again. */
import { assertEquals, assertLess } from "@std/assert";
import { readMessages } from "../../lib/frame/mod.ts";
import { headerText, plainFrame, rawFrame } from "./raw_frames.ts";

const MIB = 1_048_576;
const TOTAL = 4 * 1024 * MIB;

/** A frame with a content of `total` bytes, then a small one. */
function* largeThenSmall(total: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(MIB / 2);
  yield rawFrame(headerText(total));
  for (let sent = 0; sent < total; sent += chunk.length) yield chunk;
  yield plainFrame("small");
}

/** Reads the large content as a stream; returns the memory it took at most, in bytes. */
async function memoryToStream(total: number): Promise<number> {
  const messages = readMessages(ReadableStream.from(largeThenSmall(total))).getReader();
  const { value: large } = await messages.read();
  const before = Deno.memoryUsage().rss;
  let most = before;
  let received = 0;
  let chunks = 0;
  for await (const chunk of large!.content) {
    received += chunk.length;
    if (++chunks % 64 === 0) most = Math.max(most, Deno.memoryUsage().rss);
  }
  assertEquals(received, total);
  assertEquals(await (await messages.read()).value?.text(), "small");
  assertEquals((await messages.read()).done, true);
  return most - before;
}

Deno.test("a content of 4 GiB streams through in less than 64 MiB of memory", async () => {
  await memoryToStream(64 * MIB);
  assertLess(await memoryToStream(TOTAL), 64 * MIB);
});

Deno.test("a content of 4 GiB that no one reads is skipped in less than 64 MiB of memory", async () => {
  const messages = readMessages(ReadableStream.from(largeThenSmall(TOTAL))).getReader();
  await messages.read();
  const before = Deno.memoryUsage().rss;
  assertEquals(await (await messages.read()).value?.text(), "small");
  assertLess(Deno.memoryUsage().rss - before, 64 * MIB);
});
