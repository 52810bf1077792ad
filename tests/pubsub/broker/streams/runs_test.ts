/** Many messages in one frame: how they are kept, sent and read. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ByteBuffer, encodeFrame, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { writeRun } from "../../../../lib/pubsub/protocol/run_frame.ts";
import { PubSubError } from "../../../../lib/pubsub/mod.ts";
import { messagesOf } from "../../../../lib/pubsub/client/streams/run_message_frame.ts";
import { MessageWriter } from "../../../../lib/pubsub/broker/streams/sqlite/message_writer.ts";
import {
  encodeEnds,
  RunDecoder,
  RunFrames,
} from "../../../../lib/pubsub/broker/streams/sqlite/run_frames.ts";
import { DatabaseSync } from "node:sqlite";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import { Replay } from "../../../../lib/pubsub/broker/streams/sqlite/replay.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { appendOrder, messagesIn, publication, UNLIMITED } from "./support.ts";

const content = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 300 }));
const frames = fc.array(
  fc.record({ topic: fc.string({ minLength: 1 }), content, extra: fc.jsonValue() }),
  { minLength: 1, maxLength: 12 },
).map((all) =>
  all.map(({ topic, content, extra }) =>
    encodeFrame({ header: { op: "pub", topic, extra }, content })
  )
);

function joined(parts: readonly Uint8Array[]): { bytes: Uint8Array; ends: number[] } {
  const buffer = new ByteBuffer();
  const ends = parts.map((part) => {
    buffer.append(part);
    return buffer.length;
  });
  return { bytes: buffer.view().slice(), ends };
}

Deno.test("frames of a row are the same whatever the row says of their ends", () => {
  const decoder = new RunDecoder();
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.nat()), (parts, numbers) => {
      const { bytes, ends } = joined(parts);
      const broken = ends.map((end) => end ^ (numbers.next().value! & 7));
      for (const known of [ends, broken, ends.slice(1), [...ends, 0], []]) {
        const row = RunFrames.of(bytes, parts.length, encodeEnds(known), decoder);
        assertEquals(row.count, parts.length);
        for (const [i, part] of parts.entries()) {
          assertEquals(row.at(i).bytes, part);
          const { start, contentStart, end } = row.spanOf(i);
          assertEquals([contentStart, end - start], [row.at(i).contentStart, row.sizeOf(i)]);
        }
      }
      assertEquals(RunFrames.of(bytes, parts.length, null, decoder).ends.length, parts.length);
    }),
    { numRuns: 60 },
  );
});

Deno.test("whoever takes runs gets the same messages as one who does not", () => {
  const decoder = new RunDecoder();
  const taken = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(frames, frames, taken, fc.boolean(), (one, other, takes, consumes) => {
      const consumer = consumes ? "billing" : undefined;
      const [with_, without] = [true, false].map((runs) => {
        const out = new ByteBuffer();
        const writer = new MessageWriter(out, { sid: 3, stream: "orders", consumer, runs });
        return { out, writer };
      });
      let delivery = 50;
      let seq = 7;
      for (const parts of [one, other]) {
        const { bytes, ends } = joined(parts);
        const row = RunFrames.of(bytes, parts.length, encodeEnds(ends), decoder);
        for (let i = 0; i < row.count; i++, seq++) {
          if (!takes.next().value) continue;
          const attempt = i > 8 ? 2 : 1;
          for (const { writer } of [with_!, without!]) {
            writer.add(row, i, seq, 1_000, delivery, attempt);
            assert(writer.bytes >= 0);
          }
          delivery++;
        }
      }
      for (const { writer } of [with_!, without!]) writer.end();
      const all = messagesIn(with_!.out.view());
      const expected = messagesIn(without!.out.view());
      assertEquals(all.length, with_!.writer.count);
      assertEquals(
        all.map(({ header, content }) => [header, content]),
        expected.map(({ header, content }) => [header, content]),
      );
    }),
    { numRuns: 60 },
  );
});

Deno.test("neighbours are added at once as one by one, until there are so many bytes", () => {
  const decoder = new RunDecoder();
  const limits = fc.nat(2_000);
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 3 }), limits, fc.nat(5), (rows, limit, from) => {
      const [atOnce, each] = [0, 1].map(() => {
        const out = new ByteBuffer();
        const to = { sid: 3, stream: "orders", consumer: undefined, runs: true };
        return { out, writer: new MessageWriter(out, to) };
      }) as [
        { out: ByteBuffer; writer: MessageWriter },
        { out: ByteBuffer; writer: MessageWriter },
      ];
      let seq = 7;
      for (const parts of rows) {
        const { bytes, ends } = joined(parts);
        const row = RunFrames.of(bytes, parts.length, encodeEnds(ends), decoder);
        const first = Math.min(from, row.count - 1);
        let last = first;
        do each.writer.add(row, last, seq + last++, 1_000); while (
          last < row.count && each.writer.bytes < limit
        );
        assertEquals(atOnce.writer.addUntil(limit, row, first, seq + first, 1_000), last);
        assertEquals(atOnce.writer.bytes, each.writer.bytes);
        seq += row.count;
      }
      for (const { writer } of [atOnce, each]) writer.end();
      assertEquals(atOnce.writer.count, each.writer.count);
      assertEquals(atOnce.out.view(), each.out.view());
    }),
    { numRuns: 60 },
  );
});

Deno.test("a message is whole that waits behind large ones which a filter leaves out", () => {
  using db = new DatabaseSync(":memory:");
  migrate(db, ":memory:", STREAM_SCHEMA);
  const engine = new StreamEngine(db);
  engine.perform([{ kind: "create", name: "orders", settings: UNLIMITED }], 1);
  for (const topic of ["orders.a", "orders.b", "orders.b", "orders.b", "orders.b"]) {
    const content = topic === "orders.a" ? "small" : "x".repeat(1_000_000);
    engine.perform([appendOrder("orders", publication(topic, content))], 1);
  }
  const replay = new Replay(db);
  for (let round = 0; round < 2; round++) {
    const place = {
      stream: "orders",
      sid: 1,
      topic: "orders.a",
      next: 1,
      lastUntil: 0,
      runs: true,
    };
    const { bytes, count } = replay.read(place)!;
    assertEquals([count, messagesIn(bytes)[0]?.text()], [1, "small"]);
  }
});

Deno.test("a run that is broken is refused, whatever it says", () => {
  const { bytes, ends } = joined(["a", "b", "c"].map((text) => encodeFrame({ content: text })));
  const out = new ByteBuffer();
  const place = { sid: 1, stream: "orders", seq: 1, time: 1 };
  writeRun(out, place, { bytes, ends }, 0, 3);
  const [whole] = new FrameDecoder().decode(out.view().slice()).frames;
  assertEquals(messagesOf(whole!).map((message) => message.text()), ["a", "b", "c"]);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.oneof(fc.nat(9), fc.jsonValue()),
      (a, count) => {
        const header = { op: "run", ...place, count };
        const [run] = new FrameDecoder().decode(encodeFrame({ header, content: a })).frames;
        if (count === 0 && a.length === 0) return assertEquals(messagesOf(run!), []);
        try {
          // What has the right sizes is not decoded yet.
          for (const message of messagesOf(run!)) assertThrows(() => message.header);
        } catch (error) {
          assert(error instanceof PubSubError, String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});
