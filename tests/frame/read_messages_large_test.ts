/** Content of more than 2^32 bytes, from a source that gives one chunk again and again. */
import { assertEquals, assertLess } from "@std/assert";
import { readMessages } from "../../lib/frame/mod.ts";
import { memorySource, readInto } from "./byte_source.ts";
import { headerText, plainFrame, rawFrame } from "./raw_frames.ts";
import { soakSize } from "../support/soak_size.ts";

const MIB = 1_048_576;
const TOTAL = 4 * 1024 * MIB;

/** A frame with a content of `total` bytes, then a small one. */
function* largeThenSmall(total: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(MIB / 2);
  yield rawFrame(headerText(total));
  for (let sent = 0; sent < total; sent += chunk.length) yield chunk;
  yield plainFrame("small");
}

/** Reads the large content; returns the memory it took at most, in bytes. */
async function memoryToRead(
  total: number,
  from: (chunks: Iterable<Uint8Array>) => ReadableStream<Uint8Array>,
  read: (content: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<number> {
  const messages = readMessages(from(largeThenSmall(total))).getReader();
  const { value: large } = await messages.read();
  const before = Deno.memoryUsage().external;
  let most = before;
  let received = 0;
  let looked = 0;
  for await (const chunk of read(large!.content)) {
    received += chunk.length;
    if (received - looked < 32 * MIB) continue;
    looked = received;
    most = Math.max(most, Deno.memoryUsage().external);
  }
  assertEquals(received, total);
  assertEquals(await (await messages.read()).value?.text(), "small");
  assertEquals((await messages.read()).done, true);
  return most - before;
}

Deno.test("a content of GiB streams through in less than 256 MiB of memory", async () => {
  // Each chunk is new memory: how much there is at a time is up to the garbage collector.
  const read = (content: ReadableStream<Uint8Array>) => content;
  await memoryToRead(64 * MIB, ReadableStream.from, read);
  const total = soakSize(TOTAL / 4, TOTAL);
  assertLess(await memoryToRead(total, ReadableStream.from, read), 256 * MIB);
});

for (
  const [type, from] of [
    ["of chunks", ReadableStream.from],
    ["of type bytes", (chunks: Iterable<Uint8Array>) => memorySource(chunks).stream],
  ] as const
) {
  Deno.test(`4 GiB from a source ${type} go through one memory of 512 KiB`, async () => {
    const read = (content: ReadableStream<Uint8Array>) => readInto(content, MIB / 2, false);
    await memoryToRead(64 * MIB, from, read);
    assertLess(await memoryToRead(TOTAL, from, read), 64 * MIB);
  });
}

Deno.test("a content of 4 GiB that no one reads is skipped in less than 64 MiB of memory", async () => {
  const messages = readMessages(ReadableStream.from(largeThenSmall(TOTAL))).getReader();
  await messages.read();
  const before = Deno.memoryUsage().external;
  assertEquals(await (await messages.read()).value?.text(), "small");
  assertLess(Deno.memoryUsage().external - before, 64 * MIB);
});
