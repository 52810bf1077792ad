import type { LoadConnection } from "./load_connection.ts";
import type { Payload } from "./payload.ts";

/**
 * A round of more bytes is written and read at the same time: a server whose echo is not read stops
 * reading itself, and both would wait for ever.
 */
const SERIAL_BYTES = 65_536;

/** What a closed loop sends, and where it reports what came back. */
export interface ClosedLoopRun {
  /** What is sent. */
  readonly payload: Payload;
  /** Messages of one round: they are sent together, and all must come back before the next. */
  readonly pipeline: number;
  /** How many messages a connection sends; `Infinity` if time is the limit. */
  readonly count: number;
  /** Set when the time is up: no further round begins. */
  ended: boolean;
  /** Called when messages that were sent together at `sentAt` have come back, at `now`. */
  answered(count: number, bytes: number, sentAt: number, now: number): void;
}

/**
 * Sends `pipeline` messages on one connection, waits until all have come back, sends the next ones,
 * and so on. A slow answer delays the messages after it, and that delay is not measured: to see
 * what users of a slow server feel, use the open loop.
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
      // If it fails, so does the read, which is awaited; without this it would be unhandled.
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
