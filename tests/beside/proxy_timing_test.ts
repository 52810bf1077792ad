import { assert, assertEquals } from "@std/assert";
import { until } from "../support/deadline.ts";
import { Lateness } from "../support/lateness.ts";
import { bytesOf } from "../proxy/ends.ts";
import { TestLine } from "../proxy/faults/line.ts";

/** A time below its least is wrong; timers may be late, by this and by what all of them are late. */
const LATE_MS = 200;

/** What comes first may be late as well: then the rest is there sooner after it. */
const sinceFirst = (line: TestLine, i: number, { totalMs }: Lateness, first = 0) =>
  line.times.at(i)! - line.times[first]! + totalMs;

/** Sends a message at once for each of these offsets in time; returns how long each took. */
async function latencies(line: TestLine, count: number, everyMs: number): Promise<number[]> {
  const sentAt: number[] = [];
  for (let i = 0; i < count; i++) {
    sentAt.push(performance.now());
    line.line.received(bytesOf(64, i));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  await until(() => line.pieces.length === count);
  return line.times.map((at, i) => at - sentAt[i]!);
}

Deno.test("delays, jitter, losses, stalls, pauses and rates take their time", async () => {
  const SECONDS = 3;
  const rate = 200 * 1_024;
  using late = new Lateness();
  const hasRate = (seconds: number) =>
    seconds > 0.95 * SECONDS && seconds < 1.05 * SECONDS + late.totalMs / 1_000;
  await Promise.all([
    (async () => {
      using line = new TestLine(["up delay 60ms"]);
      const times = await latencies(line, 20, 5);
      const most = 60 + LATE_MS + late.totalMs;
      assert(times.every((ms) => ms >= 60 && ms < most), times.join());
      // Those that follow do not wait for the one before: they are under way together.
      assert(line.times.at(-1)! - line.times[0]! < 20 * 5 + most);
      assertEquals(line.fired.length, 1);
    })(),
    (async () => {
      using line = new TestLine(["up delay 80ms jitter 60ms"]);
      // Far enough apart that none waits for the one before.
      const times = await latencies(line, 12, 130);
      const most = 140 + LATE_MS + late.totalMs;
      assert(times.every((ms) => ms >= 20 && ms < most), times.join());
      assert(Math.max(...times) - Math.min(...times) > 40, `they differ: ${times.join()}`);
      const early = times.filter((ms) => ms < 75).length;
      // Where timers are late, all may be later than the delay.
      assert(early < 12 && (early > 0 || late.totalMs > 20), `some are earlier: ${times.join()}`);
    })(),
    (async () => {
      using line = new TestLine(["up loss 40%"]);
      await line.pass(bytesOf(14_600));
      const lost = line.fired.map(({ offset }) => offset / 1_460);
      assert(lost.length > 0 && lost.every(Number.isInteger), lost.join());
      const ms = sinceFirst(line, -1, late);
      assert(ms >= (lost[0] === 0 ? 0 : 199), "a repetition takes 200 ms");
    })(),
    (async () => {
      using line = new TestLine(["up stall 150ms after 100B"]);
      const sent = bytesOf(300);
      assertEquals(await line.pass(sent, 90), sent);
      assertEquals(line.fired.map(({ offset }) => offset), [100]);
      const before = line.pieces.findIndex((_, i) => {
        return line.pieces.slice(0, i + 1).reduce((sum, piece) => sum + piece.length, 0) === 100;
      });
      assert(before >= 0, "exactly 100 bytes come before it");
      assert(sinceFirst(line, before + 1, late, before) >= 149);
    })(),
    (async () => {
      using line = new TestLine(["up slice 10B every 15ms"]);
      await line.pass(bytesOf(100));
      assertEquals(line.pieces.length, 10);
      assert(sinceFirst(line, -1, late) >= 9 * 15 - 1);
    })(),
    (async () => {
      using line = new TestLine([`up rate ${rate}B/s`]);
      const beganAt = performance.now();
      const sent = bytesOf(rate * SECONDS);
      let at = 0;
      // As much as the line reads, as a sender does.
      const fill = () => {
        while (line.isReading && at < sent.length) {
          line.line.received(sent.subarray(at, at += 8_192));
        }
      };
      fill();
      await until(() => (fill(), line.bytes.length === sent.length));
      const seconds = (performance.now() - beganAt) / 1_000;
      assert(hasRate(seconds), `${seconds} s`);
      assertEquals(line.bytes, sent);
    })(),
    (async () => {
      using one = new TestLine([`up rate ${rate}B/s shared`]);
      // Two connections of one proxy share the set, and with it the rate.
      using other = new TestLine([`up rate ${rate}B/s shared`], { set: one.set, connection: 2 });
      const beganAt = performance.now();
      const half = bytesOf(rate * SECONDS / 2);
      const passing = [one.pass(half, 8_192), other.pass(half, 8_192)];
      assertEquals(await Promise.all(passing), [half, half]);
      const seconds = (performance.now() - beganAt) / 1_000;
      assert(hasRate(seconds), `shared: ${seconds} s`);
    })(),
  ]);
});

Deno.test("what waits is bounded: with a rate by rate × delay + 64 KiB, else by 16 MiB, told once", () => {
  const chunk = bytesOf(65_536);
  const takenBy = (faults: readonly string[]) => {
    using line = new TestLine(faults);
    let taken = 0;
    while (line.isReading && taken < 1e8) {
      line.line.received(chunk);
      taken += chunk.length;
    }
    return [taken, line.notices] as const;
  };
  const [paced, none] = takenBy(["up rate 1MiB/s", "up delay 500ms"]);
  assert(paced > 524_288 && paced <= 524_288 + 65_536, `${paced}`);
  assertEquals(none, []);
  const [delayed, told] = takenBy(["up delay 10s"]);
  assert(delayed > 16_777_216 && delayed <= 16_777_216 + 65_536, `${delayed}`);
  assertEquals(told, ["full"]);
  assert(takenBy(["up blackhole"])[0] <= 65_536);
});

Deno.test("bytes keep their order when faults begin and end, and none is lost", async () => {
  using line = new TestLine(["up delay 50ms jitter 40ms"]);
  const sent = bytesOf(400_000);
  const sets = [
    ["up blackhole"],
    ["up rate 4MiB/s"],
    [],
    ["up loss 30%"],
    ["up delay 20ms", "up slice 900..2000B"],
    ["up stall 30ms"],
    [],
  ].map((texts) => texts.map(line.parse));
  for (let at = 0; at < sent.length;) {
    line.line.received(sent.subarray(at, at += 50_000));
    line.set.set(sets.shift() ?? []);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  line.line.ended("end");
  await until(() => line.marks.length > 0);
  assertEquals(line.bytes.length, sent.length);
  assertEquals(line.bytes, sent);
});

Deno.test("a delay, pause or stall of more days than a timer can wait keeps no core busy", async () => {
  using delay = new TestLine(["up delay 30d"]);
  using stall = new TestLine(["up stall 300d"]);
  using slice = new TestLine(["up slice 1B every 30d"]);
  let timers = 0;
  const { setTimeout } = globalThis;
  globalThis.setTimeout = Object.assign((...given: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...given);
  }, setTimeout);
  try {
    for (const { line } of [delay, stall, slice]) line.received(bytesOf(3));
    // One that is set for too long fires within a millisecond, and is set again.
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assertEquals([delay, stall, slice].map(({ pieces }) => pieces.length), [0, 0, 1]);
  // A slice may ask for another one when its first byte has left.
  assert(timers <= 6, `${timers} timers`);
});
