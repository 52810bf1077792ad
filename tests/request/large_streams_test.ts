/** Large contents, sent from streams: both ways, in bounded memory. */
import { assertEquals, assertLess } from "@std/assert";
import { encodeFrame, readMessages, type StreamedFrame } from "../../lib/frame/mod.ts";
import { byteStream, dial, serveConnections } from "../../lib/net/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { deadline } from "../support/deadline.ts";
import { soakSize } from "../support/soak_size.ts";

const MIB = 1_048_576;
const CHUNK = new Uint8Array(65_536).fill(120);
const LIMIT_MS = 60_000;

/** How large contents are, and how much memory each may take: what is loaded for the first counts, too. */
const CONTENTS = [[32 * MIB, Infinity], [soakSize(128, 1_024) * MIB, 64 * MIB]] as const;

/** A frame whose content comes from a stream, and the most memory there was while it was read. */
function large(bytes: number) {
  const before = Deno.memoryUsage().external;
  const memory = { mostBytes: 0 };
  let left = bytes;
  const content = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(CHUNK);
      left -= CHUNK.length;
      memory.mostBytes = Math.max(memory.mostBytes, Deno.memoryUsage().external - before);
      if (left === 0) controller.close();
    },
  });
  const frame: StreamedFrame = { header: { "content-length": bytes }, content };
  return { frame, memory };
}

/** Counts the bytes of a content, read into one memory. */
async function count(content: ReadableStream<Uint8Array>): Promise<number> {
  const reader = content.getReader({ mode: "byob" });
  let memory = new Uint8Array(65_536);
  for (let total = 0;;) {
    const { value, done } = await reader.read(memory);
    if (done) return total;
    total += value.length;
    memory = new Uint8Array(value.buffer);
  }
}

Deno.test("a large request is streamed to a server that streams it in", async () => {
  await using server = await serveConnections("127.0.0.1:0", {
    async serve(connection) {
      for await (const { content } of readMessages(byteStream(connection))) {
        connection.output.buffer.append(encodeFrame({ content: String(await count(content)) }));
        connection.output.flush();
      }
    },
  });
  await using client = await connectRequests(server.address);
  for (const [bytes, limit] of CONTENTS) {
    const { frame, memory } = large(bytes);
    const reply = await deadline(client.request(frame), "the answer", LIMIT_MS);
    assertEquals(reply.text(), String(bytes));
    assertLess(memory.mostBytes, limit);
  }
});

Deno.test("a large answer is streamed to a client that streams it in", async () => {
  let answer = large(MIB);
  await using server = await serveRequests("127.0.0.1:0", () => answer.frame);
  using conn = await dial(server.address);
  const messages = readMessages(byteStream(conn))[Symbol.asyncIterator]();
  for (const [bytes, limit] of CONTENTS) {
    answer = large(bytes);
    await conn.write(encodeFrame({ content: "all of it" }));
    const { value } = await deadline(messages.next(), "the answer", LIMIT_MS);
    assertEquals(await deadline(count(value!.content), "its content", LIMIT_MS), bytes);
    assertLess(answer.memory.mostBytes, limit);
  }
});
