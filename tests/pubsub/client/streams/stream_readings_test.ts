import { assertEquals, assertRejects } from "@std/assert";
import { encodeFrame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import type { ClientStatus } from "../../../../lib/pubsub/client/client_status.ts";
import type { ClientLink } from "../../../../lib/pubsub/client/link/client_link.ts";
import { PubSubError } from "../../../../lib/pubsub/client/pubsub_error.ts";
import type { PendingAnswers } from "../../../../lib/pubsub/client/publishing/pending_answers.ts";
import { copyStore } from "../../../../lib/pubsub/client/streams/store_copy.ts";
import {
  type StreamReading,
  StreamReadings,
} from "../../../../lib/pubsub/client/streams/stream_readings.ts";
import { deadline } from "../../../support/deadline.ts";

/** A reading to which nothing happens, but for what a test wants to know. */
function readingWith(parts: Partial<StreamReading>): StreamReading {
  return {
    request: () => ({ op: "consume", fields: {} }),
    confirmed() {},
    received() {},
    told() {},
    disconnected() {},
    ended() {},
    stop: () => Promise.resolve(),
    ...parts,
  };
}

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
  const reading = readingWith({
    request: () => ({ op: "sub", fields: {} }),
    received: ({ header }) => seqs.push(header["seq"]),
  });
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

Deno.test("what keeps a stream may be away: it is asked again, on this connection or the next", async () => {
  let away = 1;
  let asked = 0;
  const answers = {
    ask: () => {
      asked++;
      if (away-- <= 0) return Promise.resolve({});
      return Promise.reject(new PubSubError("unavailable", "no quorum"));
    },
  };
  const readings = new StreamReadings(
    answers as unknown as PendingAnswers,
    { checkOpen() {} } as ClientStatus,
  );
  const ended: unknown[] = [];
  const reading = readingWith({
    ended: (error) => ended.push(error.code),
  });
  await readings.tellAll({} as ClientLink);
  await readings.start(reading);
  assertEquals(asked, 2);
  away = 1;
  readings.disconnected();
  // The connection need not wait for it.
  await readings.tellAll({} as ClientLink);
  assertEquals([asked, ended], [3, []]);
  readings.close(new PubSubError("closed", "over"));
  assertEquals(ended, ["closed"]);
});

Deno.test("what is refused as the client closes is not asked for again", async () => {
  const refusals: (() => void)[] = [];
  const answers = {
    ask: () =>
      new Promise((_, reject) =>
        refusals.push(() => reject(new PubSubError("unavailable", "no quorum")))
      ),
  };
  let isClosed = false;
  const status = {
    checkOpen() {
      if (isClosed) throw new PubSubError("closed", "over");
    },
  };
  const readings = new StreamReadings(
    answers as unknown as PendingAnswers,
    status as unknown as ClientStatus,
  );
  const reading = readingWith({});
  await readings.tellAll({} as ClientLink);
  const starting = readings.start(reading);
  const telling = readings.tellAll({} as ClientLink);
  isClosed = true;
  readings.close(new PubSubError("closed", "over"));
  for (const refuse of refusals) refuse();
  await assertRejects(() => starting, PubSubError, "over");
  // A timer that was left would be a leak of this test.
  await telling;
  assertEquals(refusals.length, 2);
});

Deno.test("a copy of which the connection is lost has failed, whether the broker had agreed or not", async () => {
  for (const isAgreed of [false, true]) {
    const asked = Promise.withResolvers<PromiseWithResolvers<unknown>>();
    const answers = {
      ask: () => {
        const answer = Promise.withResolvers<unknown>();
        asked.resolve(answer);
        return answer.promise;
      },
    };
    const status = { checkOpen() {} } as ClientStatus;
    const readings = new StreamReadings(answers as unknown as PendingAnswers, status);
    await readings.tellAll({} as ClientLink);
    const copying = copyStore(readings, () => {});
    const answer = await asked.promise;
    if (isAgreed) answer.resolve({});
    else answer.reject(new PubSubError("disconnected", "lost"));
    readings.disconnected();
    const error = await assertRejects(() => deadline(copying), PubSubError, "connection is lost");
    assertEquals(error.code, "disconnected");
  }
});
