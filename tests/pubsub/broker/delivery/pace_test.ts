import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Pace, type Paced } from "../../../../lib/pubsub/broker/delivery/pace.ts";

/** A receiver that takes so many bytes in a second. */
class Receiver implements Paced {
  congested = true;
  writtenBytes = 0;
  readonly bytesPerSecond: number;
  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }
}

const TICK_MS = 10;

/** For how long a publisher waits that has just published to all of them, up to a limit. */
function waitMs(receivers: readonly Receiver[], limitMs: number): number {
  const pace = new Pace<Receiver>();
  let now = 1_000;
  for (const receiver of receivers) pace.published(receiver, now);
  pace.wait(now);
  for (let waited = TICK_MS; waited <= limitMs; waited += TICK_MS) {
    now += TICK_MS;
    for (const receiver of receivers) {
      receiver.writtenBytes += receiver.bytesPerSecond * TICK_MS / 1e3;
    }
    if (!pace.isShared(now)) return waited;
  }
  return Infinity;
}

Deno.test("a publisher goes at the pace of its receivers, if all are behind and take 64 KiB/s", () => {
  const speed = fc.constantFrom(...[0, 1, 1_000, 20_000, 40_000, 70_000, 1e6, 1e9] as number[]);
  fc.assert(fc.property(fc.array(speed, { minLength: 1, maxLength: 6 }), (speeds) => {
    const together = speeds.reduce((sum, one) => sum + one, 0);
    const waited = waitMs(speeds.map((one) => new Receiver(one)), 60_000);
    if (together >= 65_536) assertEquals(waited, Infinity, `${speeds} B/s`);
    // What they are trusted with at first lasts a second at most, however slow they are.
    else assert(waited <= 16_384 / (65.536 - together / 1_000) + 2 * TICK_MS, `${waited} ms`);
  }));
});

Deno.test("one receiver that has room ends it, as long as it got something within a second", () => {
  const fast = new Receiver(1e6);
  fast.congested = false;
  assertEquals(waitMs([new Receiver(1e6), new Receiver(1e9), fast], 60_000), TICK_MS);
  const slow = new Receiver(1e6);
  const pace = new Pace<Receiver>();
  pace.published(fast, 1_000);
  pace.published(slow, 1_900);
  pace.wait(1_950);
  assert(!pace.isShared(1_960));
  pace.published(slow, 2_100);
  pace.wait(2_100);
  assert(pace.isShared(2_110), "the fast one got nothing for more than a second");
});

Deno.test("who takes a byte now and then is not trusted again and again", () => {
  const trickle = new Receiver(1);
  const pace = new Pace<Receiver>();
  let waited = 0;
  for (let now = 1_000; now < 20_000;) {
    pace.published(trickle, now);
    pace.wait(now);
    for (let ticks = 0; ticks < 5; ticks++) {
      now += TICK_MS;
      trickle.writtenBytes += 0.01;
      if (!pace.isShared(now)) break;
      waited += TICK_MS;
    }
    now += TICK_MS;
  }
  assert(waited < 400, `${waited} ms of 19 s`);
});

Deno.test("bytes taken while nobody waited count, up to what a second asks for", () => {
  const receiver = new Receiver(0);
  const pace = new Pace<Receiver>();
  pace.published(receiver, 1_000);
  receiver.writtenBytes = 1e9;
  pace.wait(1_500);
  let waited = 0;
  while (pace.isShared(1_510 + waited)) waited += TICK_MS;
  assert(waited >= 900 && waited <= 1_010, `${waited} ms`);
});
