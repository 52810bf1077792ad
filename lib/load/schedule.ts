/** A number as a fraction of whole numbers, both above 0. */
interface Fraction {
  readonly over: bigint;
  readonly under: bigint;
}

/** What a schedule is made of. */
export interface ScheduleInit {
  /** Messages per second. */
  readonly ratePerSecond: number;
  /** How long messages are due, the warm-up not counted; `Infinity` if `most` limits them. */
  readonly durationMs: number;
  /** How long messages are due before those that are measured. */
  readonly warmupMs: number;
  /** The most messages, the warm-up's not counted. @default {Infinity} */
  readonly most?: number | undefined;
}

/**
 * When each message of an open loop is due. Message k is due k / rate seconds after the beginning,
 * for every k below rate × duration. Each time is computed from k alone, and how many messages there
 * are is found in whole numbers: 333 per second for 3 s are 999, and 100 a minute for 3 s are 5.
 *
 * A warm-up has a schedule of its own before that, so the first message that is measured is due just
 * when the warm-up ends.
 */
export class Schedule {
  /** How many messages are due in the warm-up. They have the numbers below this. */
  readonly warmup: number;
  /** How many messages are due in all. */
  readonly total: number;
  /** When it ends, in milliseconds after the beginning of the warm-up. */
  readonly endMs: number;
  readonly #warmupMs: number;
  /** The time between two messages is `#over / #under` milliseconds. */
  readonly #over: number;
  readonly #under: number;

  /** Computes how many messages there are. */
  constructor({ ratePerSecond, durationMs, warmupMs, most = Infinity }: ScheduleInit) {
    const rate = fractionOf(ratePerSecond);
    this.warmup = warmupMs > 0 ? dueWithin(rate, warmupMs) : 0;
    this.total = this.warmup + Math.min(most, dueWithin(rate, durationMs));
    this.#warmupMs = warmupMs;
    this.#over = Number(rate.under) * 1_000;
    this.#under = Number(rate.over);
    // The time up to the next message, which is not due any more, belongs to the last one.
    this.endMs = Math.min(warmupMs + durationMs, this.dueMs(this.total));
  }

  /** When message `number` is due, in milliseconds after the beginning of the warm-up. */
  dueMs(number: number): number {
    if (number < this.warmup) return number * this.#over / this.#under;
    return this.#warmupMs + (number - this.warmup) * this.#over / this.#under;
  }
}

/** The number of whole k with k / rate < time. */
function dueWithin(rate: Fraction, ms: number): number {
  if (ms === Infinity) return Infinity;
  const time = fractionOf(ms);
  const over = rate.over * time.over;
  const under = rate.under * time.under * 1_000n;
  return Number((over + under - 1n) / under);
}

/**
 * The simplest fraction that a number above 0 may stand for: the first convergent of its continued
 * fraction that is the same number when divided. So 5 / 3 in floating point counts as 5 / 3.
 */
function fractionOf(value: number): Fraction {
  let { over, under } = binaryFraction(value);
  let [lastOver, lastUnder, atOver, atUnder] = [0n, 1n, 1n, 0n];
  while (under > 0n) {
    const whole = over / under;
    [lastOver, atOver] = [atOver, whole * atOver + lastOver];
    [lastUnder, atUnder] = [atUnder, whole * atUnder + lastUnder];
    if (atOver > 0n && Number(atOver) / Number(atUnder) === value) break;
    [over, under] = [under, over - whole * under];
  }
  return { over: atOver, under: atUnder };
}

/** Exactly what a floating-point number is: a whole number divided by a power of two. */
function binaryFraction(value: number): Fraction {
  let power = 0;
  while (!Number.isInteger(value)) {
    value *= 2;
    power++;
  }
  return { over: BigInt(value), under: 2n ** BigInt(power) };
}

/**
 * Which connections of all threads are one thread's, as numbers from 0. They go round: the first of
 * each thread, then the second of each. So message k is sent by connection k modulo their number,
 * whatever the threads, and no connection sends two messages more than another.
 *
 * @param counts How many connections each thread has.
 */
export function numbersOf(counts: readonly number[], thread: number): number[] {
  const numbers: number[] = [];
  let next = 0;
  for (let round = 0; round < (counts[thread] ?? 0); round++) {
    for (const [each, count] of counts.entries()) {
      if (round >= count) continue;
      if (each === thread) numbers.push(next);
      next++;
    }
  }
  return numbers;
}
