import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { concat, equals } from "@std/bytes";
import fc from "fast-check";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { Acting } from "../../../lib/proxy/faults/acting.ts";
import { corruptedBytes } from "../../../lib/proxy/faults/corruption.ts";
import { FaultSet } from "../../../lib/proxy/faults/fault_set.ts";
import { lossMs } from "../../../lib/proxy/faults/loss.ts";
import { keyed } from "../../../lib/proxy/faults/seeded.ts";
import { Shaping } from "../../../lib/proxy/faults/shaping.ts";
import { parseFault } from "../../../lib/proxy/mod.ts";
import { pause, until } from "../../support/deadline.ts";
import { bytesOf } from "../ends.ts";
import { TestLine } from "./line.ts";

const CHUNKS = [1, 7, 1_460, 65_536];

Deno.test("the same bytes are corrupted however the stream is cut", async () => {
  const seeds = fc.record({
    seed: fc.nat(),
    connection: fc.integer({ min: 1, max: 1e6 }),
    direction: fc.constantFrom("up" as const, "down" as const),
  });
  const probabilities = fc.constantFrom("1e-3", "1e-4", "2%", "50%");
  const property = fc.asyncProperty(seeds, probabilities, async (options, probability) => {
    const sent = bytesOf(6_000);
    const results = [];
    for (const chunk of CHUNKS) {
      using line = new TestLine([`both corrupt ${probability}`], options);
      const bytes = await line.pass(sent, chunk);
      const changed = [...bytes.keys()].filter((i) => bytes[i] !== sent[i]);
      // Each byte that was changed is an event, and no other.
      assertEquals(line.fired.map(({ offset }) => offset).join(), changed.join());
      results.push(bytes);
    }
    for (const bytes of results) assert(equals(bytes, results[0]!), probability);
  });
  await fc.assert(property, { numRuns: 8 });
});

Deno.test("another seed, connection, direction or fault of the kind corrupts other bytes", async () => {
  const sent = bytesOf(50_000);
  const placesOf = async (options: ConstructorParameters<typeof TestLine>[1], faults = 1) => {
    using line = new TestLine(Array(faults).fill("both corrupt 1e-3"), options);
    await line.pass(sent);
    return line.fired.map(({ offset }) => offset);
  };
  const places = await placesOf({});
  assertEquals(await placesOf({}), places);
  for (const other of [{ seed: 2 }, { connection: 2 }, { direction: "down" as const }]) {
    assertNotEquals(await placesOf(other), places);
  }
  // Two of them do not undo each other.
  assert(new Set(await placesOf({}, 2)).size > places.length * 1.5);
});

Deno.test("as many bytes are corrupted, and segments lost, as the probability says", () => {
  for (const probability of [1, 0.5, 0.02, 1e-3, 1e-5]) {
    const length = 4_096 * Math.ceil(500 / probability / 4_096);
    const found = [...corruptedBytes(keyed(7), probability, 0, length)];
    const expected = length * probability;
    const deviation = Math.sqrt(expected * (1 - probability)) + 1e-9;
    assert(Math.abs(found.length - expected) <= 4 * deviation, `${probability}: ${found.length}`);
    assert(found.every(({ mask }) => mask >= 1 && mask <= 255));
  }
  // So rarely that it does not happen: it has to come to an end nevertheless.
  for (const probability of [1e-17, 1e-300, Number.MIN_VALUE]) {
    assertEquals([...corruptedBytes(keyed(7), probability, 0, 1e6)], [], `${probability}`);
  }
  for (const probability of [0.5, 0.02]) {
    const times = Array.from({ length: 20_000 }, (_, i) => lossMs(keyed(3), probability, i));
    for (const [least, share] of [[1, probability], [201, probability ** 2]] as const) {
      const count = times.filter((ms) => ms >= least).length;
      const deviation = Math.sqrt(20_000 * share * (1 - share));
      assert(
        Math.abs(count - 20_000 * share) <= 4 * deviation,
        `${probability}, ${least}: ${count}`,
      );
    }
    assertEquals([...new Set(times)].sort((a, b) => a - b).slice(0, 3), [0, 200, 600]);
  }
});

Deno.test("slices end at the same places for the same seed, and hold no byte back", async () => {
  const sent = bytesOf(500);
  const endsOf = async (chunk: number) => {
    using line = new TestLine(["up slice 2..9B"]);
    assertEquals(await line.pass(sent, chunk), sent);
    assert(line.pieces.every(({ length }) => length <= 9));
    let at = 0;
    return line.pieces.map(({ length }) => at += length);
  };
  const whole = await endsOf(500);
  for (const chunk of CHUNKS) {
    const ends = await endsOf(chunk);
    assertEquals(whole.filter((end) => !ends.includes(end)), [], `chunks of ${chunk}`);
  }
});

Deno.test("nothing leaves before its delay is over, however many delays there are", async () => {
  for (
    const [faults, leastMs] of [
      [["up delay 7ms"], 7],
      [["up delay 4ms", "both delay 3ms"], 7],
      [["up delay 9ms jitter 2ms"], 7],
      [["up delay 7ms", "up slice 3B"], 7],
    ] as const
  ) {
    using line = new TestLine(faults);
    const arrived: number[] = [];
    for (let i = 0; i < 40; i++) {
      arrived.push(performance.now());
      line.line.received(bytesOf(3, i));
      await pause(i % 3);
    }
    await until(() => line.pieces.length === arrived.length, faults.join());
    const held = line.times.map((at, i) => at - arrived[i]!);
    assert(held.every((ms) => ms >= leastMs), `${faults.join()}: ${Math.min(...held)} ms`);
  }
});

/** What changes, leaves out or ends, and what selects: of any number of them, at any place. */
const CHANGING = [
  "up corrupt 1%",
  "up corrupt 30% op=pub",
  "up slice 3..400B",
  "up drop frame topic=orders.*",
  "up drop frame frames 4..5",
  "up duplicate frame op=ping",
  "up duplicate frame frames 3..",
  "up reorder frame frames 2",
  "up reorder frame topic=stock",
  "up stall 1ms after 1000B",
  "up stall 1ms frames 3",
  "up half-close after 1500B",
  "up close after 900B",
  "up reset after 2100B",
  "up close frames 6",
];

const frames = fc.array(
  fc.record({
    topic: fc.constantFrom("orders.eu", "orders.us", "stock", undefined),
    bytes: fc.nat({ max: 900 }),
  }),
  { minLength: 1, maxLength: 12 },
).map((all) =>
  concat(all.map(({ topic, bytes }, i) =>
    encodeFrame({
      header: topic === undefined ? { op: "ping" } : { op: "pub", topic },
      content: bytesOf(bytes, i),
    })
  ))
);

Deno.test("whatever faults there are, the same comes out and is told, however the stream is cut", async () => {
  const faults = fc.subarray(CHANGING, { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(frames, faults, fc.nat(), async (sent, faults, seed) => {
    let first: unknown;
    for (const chunk of CHUNKS) {
      using line = new TestLine(faults, { seed });
      const bytes = await line.pass(sent, chunk);
      // Two that corrupt are told one after the other for each piece.
      const fired = line.fired.map(({ offset, fault }) => `${offset} ${fault}`).sort();
      const found = { bytes, marks: line.marks, fired };
      first ??= found;
      assertEquals(found, first, `chunks of ${chunk}`);
    }
  });
  await fc.assert(property, { numRuns: 15 });
});

/** What takes time. */
const SLOW = [
  "up delay 50ms",
  "up delay 50ms jitter 40ms",
  "up delay 9ms jitter 9ms",
  "up loss 20%",
  "up loss 3%",
  "up rate 100KB/s",
  "up rate 1MB/s shared",
  "up slice 30..900B every 2ms",
];

/** When the bytes of a stream that is there at once may leave, by the place where a piece ends. */
function dueTimes(faults: readonly string[], seed: number, chunk: number): Map<number, number> {
  using set = new FaultSet(seed, () => {});
  set.set(faults.map(parseFault));
  const client = { transport: "tcp", hostname: "127.0.0.1", port: 9 } as const;
  const acting = new Acting(set.of(1, client, "up"));
  const shaping = new Shaping(set, 1, "up", 0);
  const sent = new Uint8Array(20_000);
  const times = new Map<number, number>();
  for (let at = 0; at < sent.length; at += chunk) {
    const end = Math.min(at + chunk, sent.length);
    while (shaping.offset < end) {
      const { dueAt } = shaping.next(sent.subarray(shaping.offset, end), acting, 1_000, 1_000);
      times.set(shaping.offset, dueAt);
    }
  }
  return times;
}

Deno.test("whatever takes time, bytes are due at the same time however the stream is cut", () => {
  const property = fc.property(
    fc.subarray(SLOW, { minLength: 1, maxLength: 4 }),
    fc.nat(),
    (faults, seed) => {
      const whole = dueTimes(faults, seed, 65_536);
      for (const chunk of CHUNKS) {
        const times = dueTimes(faults, seed, chunk);
        for (const [offset, dueAt] of whole) {
          const difference = Math.abs(times.get(offset)! - dueAt);
          assert(difference < 1e-6, `byte ${offset}, chunks of ${chunk}: ${difference} ms`);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 30 });
});
