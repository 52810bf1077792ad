import { setImmediate } from "node:timers";
import type { LoadConnection } from "./load_connection.ts";
import type { LoadError } from "./load_error.ts";
import { OpenLoopConnection, type OpenLoopRecorder } from "./open_loop_connection.ts";
import type { Payload } from "./payload.ts";
import { sleep } from "../base/sleep.ts";

/** What an open loop sends and when, and where it reports. Times are of `performance.now()`. */
export interface OpenLoopRun extends OpenLoopRecorder {
  /** What is sent. */
  readonly payload: Payload;
  /** When the first message is due. */
  readonly firstDueAt: number;
  /** Milliseconds between two messages. */
  readonly intervalMs: number;
  /** How many messages are due in all. */
  readonly total: number;
  /** Ends the run early. */
  readonly signal: AbortSignal;
  /** Called when a message that was due at `dueAt` is given to a connection, at `now`. */
  handedOver(dueAt: number, now: number): void;
  /** Called when a connection failed; `unanswered` messages of it have not come back. */
  failed(connection: LoadConnection, error: LoadError, unanswered: number): void;
}

/**
 * The runtime's timers fire more than 1 ms late. So a timer is set to fire this much too early, and
 * the rest of the wait is spent in turns of the event loop, which take 2 µs each.
 */
const TIMER_SLACK_MS = 2.5;

/** How often to check whether all messages have come back. */
const END_TICK_MS = 1;

/**
 * Sends messages on a schedule, over the connections in turn, however slowly the server answers.
 * Resolves when all have come back, the signal is aborted, or no connection is left.
 *
 * One loop serves all connections, and a connection's due messages go out in one write: a timer per
 * message would fire late, and cost more than sending it.
 */
export async function runOpenLoop(
  connections: Iterable<LoadConnection>,
  run: OpenLoopRun,
): Promise<void> {
  const { signal } = run;
  const lanes = Array.from(connections, (connection) => {
    const lane = new OpenLoopConnection(connection, run.payload, run);
    void lane.finished.then((error) => {
      if (error && !signal.aborted) run.failed(connection, error, lane.outstanding);
    });
    return lane;
  });
  await sendOnSchedule(lanes, run);
  while (!signal.aborted && lanes.some(({ failed, outstanding }) => !failed && outstanding > 0)) {
    await sleep(END_TICK_MS, signal);
  }
  await Promise.all(lanes.map((lane) => lane.end()));
}

async function sendOnSchedule(
  lanes: readonly OpenLoopConnection[],
  run: OpenLoopRun,
): Promise<void> {
  const { firstDueAt, intervalMs, total, signal } = run;
  const touched = new Set<OpenLoopConnection>();
  let working = lanes;
  let next = 0;
  while (next < total && !signal.aborted) {
    const now = performance.now();
    while (next < total) {
      const dueAt = firstDueAt + next * intervalMs;
      if (dueAt > now) break;
      let lane = working[next % working.length];
      if (lane?.failed) {
        working = lanes.filter(({ failed }) => !failed);
        lane = working[next % working.length];
      }
      if (!lane) return;
      lane.add(dueAt);
      touched.add(lane);
      run.handedOver(dueAt, now);
      next++;
    }
    for (const lane of touched) lane.flush();
    touched.clear();
    const waitMs = firstDueAt + next * intervalMs - performance.now();
    if (waitMs > TIMER_SLACK_MS) await sleep(waitMs - TIMER_SLACK_MS, signal);
    else await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
