import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { TakenReports } from "../../../../lib/pubsub/client/link/taken_reports.ts";
import { Pace, type Paced } from "../../../../lib/pubsub/broker/delivery/pace.ts";

/** A receiver that takes so many bytes in a second. */
class Receiver implements Paced {
  congested = true;
  writtenBytes = 0;
  toldBytes = 0;
  readonly bytesPerSecond: number;
  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }
}

const TICK_MS = 10;

/** For how long a publisher waits without a bound that has just published to all, up to a limit. */
function waitMs(receivers: readonly Receiver[], limitMs: number): number {
  const pace = new Pace<Receiver>();
  let now = 1_000;
  for (const receiver of receivers) pace.published(receiver, "drop-oldest", now);
  pace.begin(now);
  for (let waited = TICK_MS; waited <= limitMs; waited += TICK_MS) {
    now += TICK_MS;
    for (const receiver of receivers) {
      receiver.writtenBytes += receiver.bytesPerSecond * TICK_MS / 1e3;
    }
    if (!pace.waitsFor(receivers[0]!, now)) return waited;
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

Deno.test("a receiver that takes 64 KiB now and then is at 64 KiB/s if that is each second", () => {
  fc.assert(fc.property(fc.integer({ min: 100, max: 3_000 }), (everyMs) => {
    const receiver = new Receiver(0);
    const pace = new Pace<Receiver>();
    let now = 1_000;
    pace.published(receiver, "drop-new", now);
    pace.begin(now);
    let refused = 0;
    for (let sinceMs = everyMs; now < 60_000; now += TICK_MS, sinceMs += TICK_MS) {
      if (sinceMs >= everyMs) {
        receiver.writtenBytes += 65_536;
        sinceMs = 0;
      }
      if (!pace.waitsFor(receiver, now)) refused++;
    }
    if (everyMs <= 1_000 - 2 * TICK_MS) assertEquals(refused, 0);
    if (everyMs >= 1_000 + 20 * TICK_MS) assert(refused > 0, `every ${everyMs} ms`);
  }));
});

Deno.test("one receiver that has room ends it, as long as it got something within a second", () => {
  const fast = new Receiver(1e6);
  fast.congested = false;
  assertEquals(waitMs([new Receiver(1e6), new Receiver(1e9), fast], 60_000), TICK_MS);
  const slow = new Receiver(1e6);
  const pace = new Pace<Receiver>();
  pace.published(fast, "drop-oldest", 1_000);
  pace.published(slow, "drop-oldest", 1_900);
  pace.begin(1_950);
  assert(!pace.waitsFor(slow, 1_960));
  pace.published(slow, "drop-oldest", 2_100);
  pace.begin(2_100);
  assert(pace.waitsFor(slow, 2_110), "the fast one got nothing for more than a second");
});

Deno.test("who takes a byte now and then is not trusted again and again", () => {
  const trickle = new Receiver(1);
  const pace = new Pace<Receiver>();
  let waited = 0;
  for (let now = 1_000; now < 20_000; now += TICK_MS) {
    pace.published(trickle, "drop-oldest", now);
    pace.begin(now);
    trickle.writtenBytes += 0.01;
    if (pace.waitsFor(trickle, now)) waited += TICK_MS;
  }
  assert(waited < 400, `${waited} ms of 19 s`);
});

Deno.test("a receiver whose socket takes much at once, after pauses, is as fast as that is", () => {
  // Linux: a socket whose buffer of 4 MB is full takes more when a third of it is free.
  const lump = 1_430_000;
  fc.assert(fc.property(fc.integer({ min: 20_000, max: 2_000_000 }), (bytesPerSecond) => {
    const everyMs = lump / bytesPerSecond * 1_000;
    const receiver = new Receiver(0);
    const pace = new Pace<Receiver>();
    let now = 1_000;
    pace.published(receiver, "drop-new", now);
    receiver.writtenBytes = 4_000_000;
    pace.begin(now);
    let lumps = 0;
    let refusedMs = 0;
    for (let sinceMs = 0; lumps < 6; now += TICK_MS, sinceMs += TICK_MS) {
      if (sinceMs >= everyMs) {
        receiver.writtenBytes += lump;
        sinceMs -= everyMs;
        lumps++;
      }
      pace.published(receiver, "drop-new", now);
      if (!pace.waitsFor(receiver, now) && lumps >= 2) refusedMs += TICK_MS;
    }
    if (bytesPerSecond > 66_000) assertEquals(refusedMs, 0);
    if (bytesPerSecond < 50_000) assert(refusedMs > 4 * (everyMs - 2_500), `${refusedMs} ms`);
  }));
});

/** What the buffers of a connection hold; a socket that is full takes more when a third is free. */
const BUFFER_BYTES = 4_000_000;

/** A client that reads at a speed, evenly or in bursts, and tells how far it has come. */
class TellingReceiver implements Paced {
  congested = false;
  writtenBytes = 0;
  toldBytes = 0;
  readonly #bytesPerSecond: number;
  readonly #everyMs: number;
  readonly #reports = new TakenReports();
  #readBytes = 0;
  #readAt = 0;

  constructor(bytesPerSecond: number, everyMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#everyMs = everyMs;
  }

  /** Lets time pass. */
  passes(now: number): void {
    if (this.writtenBytes - this.#readBytes <= BUFFER_BYTES * 2 / 3) {
      this.writtenBytes = this.#readBytes + BUFFER_BYTES;
    }
    if (now - this.#readAt < this.#everyMs) return;
    let due = this.#bytesPerSecond * (now - this.#readAt) / 1_000;
    this.#readAt = now;
    for (; due > 0; due -= 65_536) {
      const count = Math.min(due, 65_536, this.writtenBytes - this.#readBytes);
      this.#readBytes += count;
      this.#reports.came(count);
      this.toldBytes = this.#reports.due(0, now) ?? this.toldBytes;
    }
  }
}

Deno.test("clients that tell what they take are waited for from the first pause on, if it is 64 KiB/s", () => {
  const speeds = [0, 1_000, 20_000, 40_000, 66_000, 100_000, 300_000, 700_000, 5e6];
  const client = fc.record({
    speed: fc.constantFrom(...speeds),
    everyMs: fc.constantFrom(TICK_MS, 100, 500, 1_000),
  });
  fc.assert(fc.property(fc.array(client, { minLength: 1, maxLength: 5 }), (clients) => {
    const receivers = clients.map(({ speed, everyMs }) => new TellingReceiver(speed, everyMs));
    const together = clients.reduce((sum, { speed }) => sum + speed, 0);
    const pace = new Pace<TellingReceiver>();
    let now = 0;
    for (const receiver of receivers) pace.published(receiver, "drop-oldest", now);
    for (const receiver of receivers) receiver.passes(now);
    pace.begin(now);
    for (const receiver of receivers) receiver.congested = true;
    let waitedMs = 0;
    while (now < 90_000) {
      now += TICK_MS;
      for (const receiver of receivers) receiver.passes(now);
      if (pace.waitsFor(receivers[0]!, now)) waitedMs += TICK_MS;
    }
    if (together > 65_536) return assertEquals(waitedMs, 90_000);
    // It waits for what they take; two seconds at first, and with each lump that a socket takes.
    const lumps = clients.reduce((sum, { speed }) => sum + Math.floor(speed * 90 / 1.3e6), 0);
    const paidBytes = 131_072 * (1 + lumps) + together * 90;
    assert(waitedMs <= paidBytes / 65.536 * 1.05 + 200, `${waitedMs} ms at ${together} B/s`);
  }));
});

Deno.test("who took much and takes nothing any more is waited for twice its last pause at most", () => {
  for (const pauseMs of [0, 500, 3_000]) {
    const receiver = new Receiver(0);
    const pace = new Pace<Receiver>();
    let now = 1_000;
    pace.published(receiver, "drop-new", now);
    pace.begin(now);
    for (let lumps = 0; lumps < 5; lumps++) {
      for (let ms = 0; ms <= pauseMs; ms += TICK_MS) pace.waitsFor(receiver, now += TICK_MS);
      receiver.writtenBytes += 1_430_000;
    }
    let waited = 0;
    while (pace.waitsFor(receiver, now += TICK_MS)) waited += TICK_MS;
    assert(waited <= Math.max(2_050, pauseMs * 2 + 50), `${waited} ms after ${pauseMs} ms`);
  }
});

Deno.test("bytes taken while nobody waited count, up to what two seconds ask for", () => {
  const receiver = new Receiver(0);
  const pace = new Pace<Receiver>();
  pace.published(receiver, "drop-oldest", 1_000);
  receiver.writtenBytes = 1e9;
  pace.begin(1_500);
  let waited = 0;
  while (pace.waitsFor(receiver, 1_510 + waited)) waited += TICK_MS;
  assert(waited >= 1_900 && waited <= 2_010, `${waited} ms`);
});

Deno.test("time in which a receiver was not behind does not count against it", () => {
  const receiver = new Receiver(0);
  const pace = new Pace<Receiver>();
  pace.published(receiver, "drop-oldest", 1_000);
  pace.begin(1_000);
  assert(pace.waitsFor(receiver, 1_010));
  receiver.congested = false;
  pace.published(receiver, "drop-oldest", 1_020);
  receiver.congested = true;
  pace.published(receiver, "drop-oldest", 61_000);
  pace.begin(61_000);
  assert(pace.waitsFor(receiver, 61_010));
});

Deno.test("only drop-oldest and drop-new go at their pace; block always waits", () => {
  const waits = (slow: "drop-oldest" | "drop-new" | "latest" | "disconnect" | "block") => {
    const receiver = new Receiver(1e6);
    const pace = new Pace<Receiver>();
    pace.published(receiver, slow, 1_000);
    pace.begin(1_000);
    return pace.waitsFor(receiver, 1_010);
  };
  assertEquals(
    (["drop-oldest", "drop-new", "latest", "disconnect", "block"] as const).map(waits),
    [true, true, false, false, true],
  );
});
