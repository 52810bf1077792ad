import { setImmediate } from "node:timers";
import { sleep } from "../base/sleep.ts";
import type { LoadConnection } from "./load_connection.ts";
import type { LoadRecorder } from "./load_recorder.ts";
import type { Schedule } from "./schedule.ts";

/** What one thread of an open loop sends, and when. */
export interface OpenLoopInit {
  /** When each message is due. */
  readonly schedule: Schedule;
  /** When the schedule begins, in the time of `performance.now()`. */
  readonly startAt: number;
  /** The numbers of this thread's connections among those of all threads. */
  readonly numbers: readonly number[];
  /** How many connections all threads have. */
  readonly ofAll: number;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  /** Is told of messages that no connection can be given. */
  readonly recorder: LoadRecorder;
}

/**
 * The runtime's timers fire more than 1 ms late. So a timer is set to fire this much too early, and
 * the rest of the wait is spent in turns of the event loop, which take 2 µs each.
 */
const TIMER_SLACK_MS = 2.5;

/**
 * The most messages of a thread that may wait or be under way; they take about 100 bytes each. What
 * is due beyond counts as not sent.
 */
const MAX_OUTSTANDING = 2_000_000;

/**
 * The most messages that are handed out in one go: a thread that is late must not keep its sockets
 * and timers waiting until it has caught up.
 */
const MAX_HANDED_OUT = 10_000;

/**
 * Hands messages out to the connections as they become due, however slowly the server answers.
 * Resolves to how many were not handed out, those of the warm-up not counted: the signal was aborted,
 * or no connection is left.
 *
 * One loop serves all connections, and a connection's due messages go out in one write: a timer per
 * message would fire late, and cost more than sending it.
 */
export async function sendOnSchedule(
  connections: readonly LoadConnection[],
  { schedule, startAt, numbers, ofAll, signal, recorder }: OpenLoopInit,
): Promise<number> {
  const { total } = schedule;
  const touched = new Set<LoadConnection>();
  const turn = new Turn(numbers, ofAll);
  let working = connections;
  while (turn.number < total && !signal.aborted) {
    const now = performance.now();
    for (let handedOut = 0; turn.number < total && handedOut < MAX_HANDED_OUT; handedOut++) {
      const dueAt = startAt + schedule.dueMs(turn.number);
      if (dueAt > now) break;
      let connection = connections[turn.index]!;
      if (connection.over) {
        connection = working[turn.index % working.length]!;
        if (connection.over) {
          working = working.filter(({ over }) => !over);
          if (working.length === 0) return turn.left(schedule);
          connection = working[turn.index % working.length]!;
        }
      }
      turn.next();
      if (recorder.outstanding >= MAX_OUTSTANDING) {
        if (dueAt >= recorder.measureAt) recorder.neverSent(1);
        continue;
      }
      connection.add(dueAt, 1, now);
      touched.add(connection);
    }
    for (const connection of touched) connection.flush();
    touched.clear();
    if (turn.number >= total) break;
    const waitMs = startAt + schedule.dueMs(turn.number) - performance.now();
    if (waitMs > TIMER_SLACK_MS) await sleep(waitMs - TIMER_SLACK_MS, signal);
    else await new Promise<void>((resolve) => setImmediate(resolve));
    if (working.every(({ over }) => over)) break;
  }
  return turn.left(schedule);
}

/** Goes through the numbers of the messages that one thread's connections are to send. */
class Turn {
  /** The number of the next message among those of all threads. */
  number: number;
  /** Which of the thread's connections is to send it. */
  index = 0;
  readonly #numbers: readonly number[];
  readonly #ofAll: number;
  #round = 0;

  constructor(numbers: readonly number[], ofAll: number) {
    this.#numbers = numbers;
    this.#ofAll = ofAll;
    this.number = numbers[0] ?? Infinity;
  }

  /** Goes on to the next message. */
  next(): void {
    if (++this.index === this.#numbers.length) {
      this.index = 0;
      this.#round++;
    }
    this.number = this.#round * this.#ofAll + this.#numbers[this.index]!;
  }

  /** How many messages of a schedule are left, those of the warm-up not counted. */
  left({ warmup, total }: Schedule): number {
    return total === Infinity ? 0 : this.#leftBelow(total) - this.#leftBelow(warmup);
  }

  #leftBelow(end: number): number {
    let count = -this.#round * this.#numbers.length - this.index;
    for (const number of this.#numbers) {
      count += Math.max(0, Math.ceil((end - number) / this.#ofAll));
    }
    return Math.max(0, count);
  }
}
