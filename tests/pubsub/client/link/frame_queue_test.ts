import { assert, assertEquals } from "@std/assert";
import { FrameDecoder } from "../../../../lib/frame/mod.ts";
import { OutgoingStream } from "../../../../lib/net/bytes/outgoing_stream.ts";
import { FrameQueue } from "../../../../lib/pubsub/client/link/frame_queue.ts";
import { codeOf } from "../support.ts";

function queue(maxBytes = 10_000): FrameQueue {
  return new FrameQueue(maxBytes, () => {
    throw new Error("a frame that is no publication is told of");
  });
}

/** What is sent, in order: the contents of frames, "stream" for a stream. */
function target() {
  const sent: string[] = [];
  return {
    sent,
    sendBytes(bytes: Uint8Array) {
      for (const frame of new FrameDecoder().decode(bytes).frames) sent.push(frame.text());
      return Promise.resolve();
    },
    sendStream(stream: OutgoingStream) {
      stream.cancel("not read here");
      sent.push("stream");
      return Promise.resolve();
    },
  };
}

function stream(): OutgoingStream {
  const content = new ReadableStream<Uint8Array>();
  return new OutgoingStream({ header: { "content-length": 5 }, content }, 1_000);
}

Deno.test("frames are sent in order, those in a row by one promise", async () => {
  const waiting = queue();
  const first = waiting.add({ content: "1" });
  assert(waiting.add({ content: "2" }) === first);
  const alone = waiting.add({ content: "3" }, 7)!;
  assert(alone !== first);
  const streamed = waiting.addStream(stream())!;
  const last = waiting.add({ content: "4" })!;
  assert(waiting.bytes > 1_024);
  const to = target();
  waiting.sendTo(to);
  await Promise.all([first, alone, streamed, last]);
  assertEquals([to.sent, waiting.bytes], [["1", "2", "3", "stream", "4"], 0]);
});

Deno.test("a frame that is given up is not sent, and its room is free", async () => {
  const waiting = queue();
  void waiting.add({ content: "1" });
  const before = waiting.bytes;
  const alone = codeOf(waiting.add({ content: "2" }, 1)!);
  const streamed = codeOf(waiting.addStream(stream(), 2)!);
  void waiting.add({ content: "3" });
  waiting.cancel(1, "late");
  waiting.cancel(2, "late");
  waiting.cancel(2, "again");
  assertEquals([await alone, await streamed], ["late", "late"]);
  assertEquals(waiting.bytes, before * 2);
  const to = target();
  waiting.sendTo(to);
  assertEquals(to.sent, ["1", "3"]);
  waiting.cancel(1, "sent before");
});

Deno.test("what there is no room for is not added; what waits fails with the queue", async () => {
  const waiting = queue(1_500);
  const first = codeOf(waiting.add({ content: "1" })!);
  assertEquals(waiting.add({ content: "x".repeat(2_000) }), undefined);
  assertEquals(waiting.add({ content: "x".repeat(2_000) }, 1), undefined);
  const streamed = codeOf(waiting.addStream(stream())!);
  const refused = stream();
  assertEquals(waiting.addStream(refused), undefined);
  refused.cancel("not sent");
  waiting.fail("closed");
  assertEquals([await first, await streamed, waiting.bytes], ["closed", "closed", 0]);
  waiting.sendTo(target());
});
