import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { encodeFrame, FrameDecoder } from "../../../lib/frame/mod.ts";
import type { BrokerCore } from "../../../lib/pubsub/broker/broker_core.ts";
import { FrameHandler, type FrameSender } from "../../../lib/pubsub/broker/frame_handler.ts";
import { streamWork } from "../../../lib/pubsub/broker/operations.ts";
import { RequestTime } from "../../../lib/pubsub/broker/request_time.ts";
import { op } from "../support.ts";

Deno.test("requests have 2 ms together, and as much again when 20 ms have passed", () => {
  const time = new RequestTime();
  assertEquals(time.isSpent(1_000), false);
  time.taken(1_000, 1_001);
  assertEquals(time.isSpent(1_001), false);
  time.taken(1_001, 1_002.5);
  assertEquals([1_003, 1_019, 1_020].map((now) => time.isSpent(now)), [true, true, false]);
  time.taken(1_030, 1_031);
  assertEquals(time.isSpent(1_031), false, "what was long ago does not count");
});

Deno.test("who says hello waits for a turn where requests have had their time; who pings does not", () => {
  const sent: string[] = [];
  const core = {
    limits: { maxPendingBytes: 1_000 },
    router: { takeWork: () => 0 },
    requestTime: { isSpent: () => true, taken: () => {} },
    pause: () => Promise.resolve(),
  };
  const outbox = { repliesWait: false, control: (name: string) => void sent.push(name) };
  const sender = { publications: undefined, principal: {}, waits: false, ending: false, outbox };
  const handler = new FrameHandler(
    sender as unknown as FrameSender,
    core as unknown as BrokerCore,
  );
  const framesOf = (name: string) =>
    new FrameDecoder().decode(encodeFrame(op(name, { id: 1 }))).frames;
  assertEquals(handler.handle(framesOf("ping"), 0), 1);
  assertEquals([handler.turn, sent.length], [undefined, 1]);
  assertEquals(handler.handle(framesOf("hello"), 0), 0, "it is to be handled again");
  assertEquals([handler.turn instanceof Promise, sent.length], [true, 1]);
});

Deno.test("64 publications of 1 KiB are kept in one go: a turn among them would have two groups synced", async () => {
  await streamWork.load();
  let kept = 0;
  const core = {
    limits: { maxPendingBytes: 8_000_000 },
    router: { takeWork: () => 0 },
    sendList: { room: () => undefined, backlogs: new Set() },
    streams: { room: () => undefined, append: () => void kept++ },
    forward: () => 0,
    pause: () => Promise.resolve(),
  };
  const route = { groups: [], subscriptions: [], overlaps: 0 };
  const sender = {
    publications: { find: () => ({ topic: "a", route, stream: "a" }) },
    principal: { permission: () => ({ allow: ["a:store"] }) },
    outbox: { repliesWait: false },
  };
  const handler = new FrameHandler(
    sender as unknown as FrameSender,
    core as unknown as BrokerCore,
  );
  const framesOf = (count: number, bytes: number) => {
    const frames = Array.from({ length: count }, (_, id) =>
      encodeFrame({
        header: { op: "pub", topic: "a", id, stored: true },
        content: new Uint8Array(bytes),
      }));
    return new FrameDecoder().decode(concat(frames)).frames;
  };
  assertEquals([handler.handle(framesOf(64, 1_024), 0), handler.turn, kept], [64, undefined, 64]);
  const many = handler.handle(framesOf(2_000, 1), 0);
  assertEquals([handler.turn instanceof Promise, many < 200], [true, true]);
});
