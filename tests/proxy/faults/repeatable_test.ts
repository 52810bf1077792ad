import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { corruptedBytes } from "../../../lib/proxy/faults/corruption.ts";
import { lossMs } from "../../../lib/proxy/faults/loss.ts";
import { keyed } from "../../../lib/proxy/faults/seeded.ts";
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
    const sent = bytesOf(20_000);
    const results = [];
    for (const chunk of CHUNKS) {
      using line = new TestLine([`both corrupt ${probability}`], options);
      const bytes = await line.pass(sent, chunk);
      const changed = [...bytes.entries()].filter(([i, byte]) => byte !== sent[i]);
      // Each byte that was changed is an event, and no other.
      assertEquals(line.fired.map(({ offset }) => offset), changed.map(([i]) => i));
      results.push(changed);
    }
    for (const changed of results) assertEquals(changed, results[0]);
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
