import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { anyCharacter } from "../../../support/any_character.ts";
import {
  addAppends,
  readAppends,
  readOutcomes,
  writeAppends,
  writeOutcomes,
} from "../../../../lib/pubsub/broker/streams/sqlite/append_batch.ts";
import { OpenAppend } from "../../../../lib/pubsub/broker/streams/sqlite/open_append.ts";
import {
  type AppendOrder,
  NOTHING,
  type StoreReport,
} from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { frameOf, publication } from "./support.ts";

const OUT = new Uint8Array(32_768);

const publicationInit = fc.record({
  end: fc.nat(300),
  topic: fc.constantFrom("orders.a", "orders.\u00fc", "\ud83d\ude00"),
  messageId: fc.string({ unit: anyCharacter, maxLength: 20 }),
  expected: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
  isAsked: fc.boolean(),
});

const streamName = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const text = fc.string({ unit: anyCharacter, maxLength: 20 });

const order: fc.Arbitrary<AppendOrder> = fc.record({
  kind: fc.constant("append" as const),
  stream: streamName,
  frames: fc.uint8Array({ maxLength: 300 }),
  awaited: fc.boolean(),
  all: fc.array(publicationInit, { maxLength: 20 }),
}).map(({ all, ...rest }) => ({
  ...rest,
  publications: {
    ends: all.map(({ end }) => end),
    topics: all.map(({ topic }) => topic),
    messageIds: all.map(({ messageId }) => messageId),
    expected: all.map(({ expected }) => expected),
  },
  asked: all.flatMap(({ isAsked }, i) => isAsked ? [i] : []),
}));

const orders = fc.uniqueArray(order, { selector: ({ stream }) => stream, maxLength: 5 });

Deno.test("a batch is read as it was written, or it is too large and nothing of it is handed over", () => {
  fc.assert(fc.property(orders, fc.nat(OUT.length), (all, room) => {
    const bytes = writeAppends(OUT, all);
    assertEquals(bytes !== undefined && readAppends(OUT.slice(0, bytes)), all);
    const within = writeAppends(OUT.subarray(0, room), all);
    assertEquals(within, room < bytes! ? undefined : bytes);
    // In two parts it is the same.
    const begun = all.slice(0, Math.floor(all.length / 2));
    const size = writeAppends(OUT, begun)!;
    const whole = addAppends(OUT, size, begun.length, all.slice(begun.length))!;
    assertEquals(readAppends(OUT.slice(0, whole)), all);
  }));
});

Deno.test("a batch takes no more than is said of it before", () => {
  const publications = fc.array(
    fc.record({ topic: text, id: text, other: text, content: text }),
    { maxLength: 10 },
  );
  const streams = fc.array(fc.record({ name: streamName, publications }), { maxLength: 4 });
  fc.assert(fc.property(streams, (all) => {
    let most = writeAppends(OUT, [])!;
    const orders = all.map(({ name, publications }) => {
      const open = new OpenAppend(name, new ArrayBuffer(0), 0);
      publications.forEach(({ topic, id, other, content }, i) => {
        const frame = frameOf(publication(topic, content, { "msg-id": id, other }));
        open.add(frame, { owner: 1, cost: 0, behind: 0 }, i % 2 === 0 ? () => {} : undefined);
      });
      most += open.batchBytes;
      return open.order;
    });
    const bytes = writeAppends(OUT, orders)!;
    assert(bytes <= most, `${bytes} bytes, ${most} at most`);
  }));
});

Deno.test("outcomes are read as they were written; what is more than numbers is not written", () => {
  const seq = fc.integer({ min: -(2 ** 53), max: 2 ** 53 });
  fc.assert(fc.property(orders, fc.infiniteStream(seq), fc.nat(40), (all, seqs, words) => {
    const next = () => seqs.next().value!;
    const results = all.map(({ asked }) => ({ value: asked.map(next) }));
    const appended = all.map(({ stream: name }) => (
      { name, lastSeq: next(), count: next(), bytes: next() }
    ));
    const report: StoreReport = { ...NOTHING, results, appended };
    const bytes = writeOutcomes(OUT, all, report)!;
    assertEquals(readOutcomes(OUT.subarray(0, bytes), all), { results, appended });
    const within = writeOutcomes(OUT.subarray(0, 8 * words), all, report);
    assertEquals(within, 8 * words >= bytes ? bytes : undefined);
    const failure = { code: "storage-full", message: "The disk is full" } as const;
    for (const result of [{ failure }, { value: [failure] }]) {
      const failed = { ...report, results: [...results, result] };
      assertEquals(writeOutcomes(OUT, all, failed), undefined);
    }
  }));
});
