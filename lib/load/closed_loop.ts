import type { LoadConnection } from "./load_connection.ts";
import type { Payload } from "./payload.ts";

/** More bytes than this are read and written at the same time: an echo may block on either. */
const SERIAL_BYTES = 65_536;

/** What a closed loop is told, and whom it tells. */
export interface ClosedLoopRun {
  /** What is sent. */
  readonly payload: Payload;
  /** Messages sent at once. */
  readonly pipeline: number;
  /** Messages of each connection; `Infinity` if the time is the limit. */
  readonly count: number;
  /** Whether the time is up: nothing more is sent. */
  ended: boolean;
  /** Notes messages that came back at `now`, and were sent together. */
  answered(count: number, bytes: number, sentAt: number, now: number): void;
}

/**
 * Sends on one connection as many messages at once as the pipeline holds, waits until all have come
 * back, and sends the next. One that is slow holds back those behind it, so what is measured is
 * what the server did, not what users would have felt; for that there is the open loop.
 *
 * @throws {LoadError} or the runtime's error if the connection fails.
 */
export async function runClosedLoop(
  connection: LoadConnection,
  run: ClosedLoopRun,
): Promise<void> {
  const { payload, pipeline } = run;
  let sent = 0;
  let startedAt = performance.now();
  connection.awaiting = true;
  // The hot path: two calls of the runtime and one look at the clock per round.
  while (sent < run.count && !run.ended) {
    const { bytes, ends } = payload.batch(sent, Math.min(pipeline, run.count - sent));
    connection.sentBytes += bytes.length;
    let writing: Promise<void> | undefined;
    if (bytes.length <= SERIAL_BYTES) {
      const written = await connection.conn.write(bytes);
      if (written < bytes.length) await connection.write(bytes.subarray(written));
    } else {
      writing = connection.write(bytes);
      // The read sees the failure as well; this keeps it from being unhandled.
      writing.catch(() => {});
    }
    const receivedBefore = connection.receivedBytes;
    let done = 0;
    do {
      connection.received(await connection.read());
      const received = connection.receivedBytes - receivedBefore;
      const doneBefore = done;
      while (done < ends.length && ends[done]! <= received) done++;
      if (done === doneBefore) continue;
      const now = performance.now();
      const answeredBytes = ends[done - 1]! - (doneBefore > 0 ? ends[doneBefore - 1]! : 0);
      run.answered(done - doneBefore, answeredBytes, startedAt, now);
      if (done === ends.length) startedAt = now;
    } while (done < ends.length);
    if (writing) await writing;
    sent += ends.length;
  }
  connection.awaiting = false;
}
