import { assertEquals } from "@std/assert";
import { encodeFrame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import type { ClientStatus } from "../../../../lib/pubsub/client/client_status.ts";
import type { ClientLink } from "../../../../lib/pubsub/client/link/client_link.ts";
import type { PendingAnswers } from "../../../../lib/pubsub/client/publishing/pending_answers.ts";
import {
  type StreamReading,
  StreamReadings,
} from "../../../../lib/pubsub/client/streams/stream_readings.ts";

Deno.test("what is begun anew while the broker answers the end of it goes on", async () => {
  const asked: { op: string; sid: number; answer: () => void }[] = [];
  const answers = {
    ask: (_: unknown, op: string, { sid }: { sid: number }) =>
      new Promise((resolve) => asked.push({ op, sid, answer: () => resolve({}) })),
  };
  const status = { checkOpen() {} };
  const readings = new StreamReadings(
    answers as unknown as PendingAnswers,
    status as ClientStatus,
  );
  const seqs: unknown[] = [];
  const reading: StreamReading = {
    request: () => ({ op: "sub", fields: {} }),
    confirmed() {},
    received: ({ header }) => seqs.push(header["seq"]),
    told() {},
    disconnected() {},
    ended() {},
    stop: () => Promise.resolve(),
  };
  const deliver = (sid: number, seq: number) => {
    const bytes = encodeFrame({ header: { op: "pub", sid, seq } });
    readings.received(new FrameDecoder().decode(bytes).frames[0]!);
  };
  await readings.tellAll({} as ClientLink);
  const first = readings.start(reading);
  asked[0]!.answer();
  await first;
  deliver(1, 1);
  const end = readings.end(reading);
  const second = readings.start(reading);
  deliver(1, 2);
  for (const { answer } of asked) answer();
  await Promise.all([end, second]);
  deliver(2, 3);
  assertEquals(asked.map(({ op, sid }) => `${op} ${sid}`), ["sub 1", "unsub 1", "sub 2"]);
  assertEquals(seqs, [1, 3]);
});
