import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Alarm, AlarmClock } from "../../lib/base/alarm_clock.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { deadline, until } from "../support/deadline.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("alarms ring in the order of their times, each once and never early, as they were set last", async () => {
  const step = fc.record({ alarm: fc.nat(30), inMs: fc.option(fc.integer({ min: -3, max: 25 })) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 200 }), async (steps) => {
      const clock = new AlarmClock();
      const rung: { readonly alarm: Alarm; readonly at: number; readonly late: number }[] = [];
      const alarms = Array.from({ length: 31 }, () => {
        const alarm: Alarm = new Alarm(() => {
          const at = times.get(alarm)!;
          rung.push({ alarm, at, late: performance.now() - at });
        });
        return alarm;
      });
      const times = new Map<Alarm, number>();
      const begin = performance.now();
      for (const { alarm: number, inMs } of steps) {
        const alarm = alarms[number]!;
        if (inMs === null) {
          clock.clear(alarm);
          times.delete(alarm);
        } else {
          times.set(alarm, begin + inMs);
          clock.set(alarm, begin + inMs);
        }
      }
      await until(() => rung.length === times.size, "all that are set ring");
      assertEquals(new Set(rung.map(({ alarm }) => alarm)), new Set(times.keys()));
      assert(rung.every(({ late }) => late >= 0), "none is early");
      assertEquals(rung.map(({ at }) => at), rung.map(({ at }) => at).toSorted((a, b) => a - b));
      assertEquals(alarms.map(({ at }) => at), alarms.map(() => Infinity));
    }),
    { numRuns: 15 },
  );
});

Deno.test("an alarm may set itself and others while it rings, and one that fails keeps none from ringing", async () => {
  const reported: unknown[] = [];
  using _redirected = redirectErrors((error) => reported.push(error));
  const clock = new AlarmClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const failing = new Alarm(() => {
    throw new Error("on purpose");
  });
  const again: Alarm = new Alarm(() => {
    if (++count < 3) clock.set(again, 0);
    else clock.set(last, performance.now() + 1);
  });
  const last = new Alarm(resolve);
  clock.set(again, 1);
  clock.set(failing, 0);
  await deadline(promise, "the last alarm");
  assertEquals([count, reported.length], [3, 1]);
});

Deno.test("however many look in a row for what is due, ringing takes no more of the time than the rest", async () => {
  const clock = new AlarmClock();
  const rung = Promise.withResolvers<void>();
  let count = 0;
  {
    using time = new FakeClock();
    for (let i = 0; i < 1_000; i++) {
      const alarm = new Alarm(() => {
        time.nowMs += 1;
        if (++count === 1_000) rung.resolve();
      });
      clock.set(alarm, 0);
    }
    // Each of them does a little, as one who passes on what has come over a connection.
    const begin = time.nowMs;
    for (let i = 0; i < 300; i++) {
      clock.catchUp();
      time.nowMs += 0.1;
    }
    const ratio = count / (time.nowMs - begin);
    assert(ratio > 0.4 && ratio < 0.6, `${ratio} of the time`);
  }
  await deadline(rung.promise, "the rest by the timer");
});
