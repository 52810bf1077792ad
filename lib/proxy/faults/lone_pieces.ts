import { Alarm, AlarmClock } from "../../base/alarm_clock.ts";

/**
 * Such pieces follow each other for this long, of all connections; then others have their turn. The
 * runtime tells that one was taken before it looks at anything else.
 */
const LONGEST_MS = 4;

/** Rings for all of them, by its timer alone: between two timers, others are seen. */
const clock = new AlarmClock();
let goOnUntil = -Infinity;

/** Writes pieces of one direction by themselves: the next one only when the system has taken the last. */
export class LonePieces {
  readonly #write: (bytes: Uint8Array, taken: () => void) => void;
  readonly #goOn: () => void;
  readonly #alarm = new Alarm(() => this.#taken());
  #isAwaiting = false;
  #isOver = false;

  /**
   * @param write Writes, and calls back when the system has taken it.
   * @param goOn Is called when the next piece may be written.
   */
  constructor(write: (bytes: Uint8Array, taken: () => void) => void, goOn: () => void) {
    this.#write = write;
    this.#goOn = goOn;
  }

  /** Whether one is written that the system has not taken. */
  get isAwaiting(): boolean {
    return this.#isAwaiting;
  }

  /** Writes the next one. */
  write(bytes: Uint8Array): void {
    this.#isAwaiting = true;
    this.#write(bytes, () => {
      if (this.#isOver) return;
      const now = performance.now();
      if (now < goOnUntil) this.#taken();
      else clock.set(this.#alarm, now);
    });
  }

  /** Calls back no more. */
  stop(): void {
    this.#isOver = true;
    clock.clear(this.#alarm);
  }

  #taken(): void {
    const now = performance.now();
    if (now >= goOnUntil) goOnUntil = now + LONGEST_MS;
    this.#isAwaiting = false;
    this.#goOn();
  }
}
