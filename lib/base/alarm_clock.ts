import { guard } from "./report.ts";
import { MAX_TIMER_MS } from "./timer_ms.ts";

/** Alarms ring for this long in one go; then others have their turn. */
const MOST_MS = 2;

/** Something that is to happen at a time. It belongs to one {@linkcode AlarmClock}. */
export class Alarm {
  /** When it rings, in milliseconds of `performance.now()`; `Infinity` if it is not set. */
  at = Infinity;
  /** Its place in the clock's heap; -1 if it is not set. */
  place = -1;
  /** What it does. */
  readonly ring: () => void;

  constructor(ring: () => void) {
    this.ring = ring;
  }
}

/**
 * Rings thousands of alarms by one timer, never before their time. To set one makes no garbage,
 * where a timer of its own is some objects that live until it fires.
 *
 * @example
 * ```ts
 * import { Alarm, AlarmClock } from "./alarm_clock.ts";
 * import { assert } from "@std/assert";
 *
 * const clock = new AlarmClock();
 * const rung = Promise.withResolvers<number>();
 * const at = performance.now() + 5;
 * clock.set(new Alarm(() => rung.resolve(performance.now())), at);
 * assert(await rung.promise >= at);
 * ```
 */
export class AlarmClock {
  /** A heap by time: no alarm rings before the one at half its place. The first is at place 1. */
  readonly #heap: (Alarm | undefined)[] = [undefined];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  readonly #onTimer = () => {
    this.#timerAt = Infinity;
    this.#ring();
  };
  #isRinging = false;
  /** Until then nobody but the timer rings. */
  #restsUntil = -Infinity;

  /** Sets an alarm, or sets it to another time. */
  set(alarm: Alarm, at: number): void {
    if (alarm.place < 0) {
      alarm.place = this.#heap.length;
      this.#heap.push(alarm);
    }
    alarm.at = at;
    this.#settle(alarm);
    this.#start();
  }

  /** Has it not ring. */
  clear(alarm: Alarm): void {
    if (alarm.place < 0) return;
    this.#take(alarm);
    this.#start();
  }

  #take(alarm: Alarm): void {
    const { place } = alarm;
    alarm.at = Infinity;
    alarm.place = -1;
    const last = this.#heap.pop()!;
    if (last === alarm) return;
    last.place = place;
    this.#settle(last);
  }

  /**
   * Rings the alarms that are due. Code that runs often calls it too: a timer for less than a
   * millisecond takes two. It does nothing while an alarm rings, and after alarms have rung for as long
   * as that took: otherwise hundreds of callers in a row would each add 2 ms.
   */
  catchUp(): void {
    if (!this.#isRinging && performance.now() >= this.#restsUntil) this.#ring();
  }

  #ring(): void {
    this.#isRinging = true;
    const begun = performance.now();
    let now = begun;
    for (let first = this.#heap[1]; first; first = this.#heap[1]) {
      if (first.at > now || now - begun > MOST_MS) break;
      this.#take(first);
      guard("An alarm failed", first.ring);
      now = performance.now();
    }
    this.#restsUntil = now + (now - begun);
    this.#isRinging = false;
    this.#start();
  }

  /** Has the timer fire when the first alarm is due, or before: then it looks again. */
  #start(): void {
    const at = this.#heap[1]?.at ?? Infinity;
    const isSet = this.#timerAt <= at && at < Infinity;
    if (isSet || this.#timerAt === at || this.#isRinging) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    const ms = Math.min(Math.max(0, at - performance.now()), MAX_TIMER_MS);
    this.#timer = setTimeout(this.#onTimer, ms);
  }

  /** Moves an alarm to where it belongs by its time. */
  #settle(alarm: Alarm): void {
    const heap = this.#heap;
    let { place } = alarm;
    for (let above = heap[place >> 1]; above && above.at > alarm.at; above = heap[place >> 1]) {
      heap[above.place = place] = above;
      place >>= 1;
    }
    for (;;) {
      let below = heap[2 * place];
      const other = heap[2 * place + 1];
      if (other && other.at < below!.at) below = other;
      if (below === undefined || below.at >= alarm.at) break;
      const freed = below.place;
      heap[below.place = place] = below;
      place = freed;
    }
    heap[alarm.place = place] = alarm;
  }
}
