import { sleep } from "../../../base/sleep.ts";
import type { NatsError } from "./nats_error.ts";

const RETRY_MS = 500;

/** How long to wait for a cluster that cannot be reached. */
export interface ClusterWait {
  /** In milliseconds. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Is told once when it has to wait. */
  onWaiting(reason: string): void;
}

/**
 * Tries to connect until it works, or the time for that is over.
 *
 * @param connect Is called again while the cluster cannot be reached.
 * @throws {NatsError} the last one of `connect`.
 */
export async function waitForCluster<T>(
  connect: () => Promise<T>,
  { waitMs, signal, onWaiting }: ClusterWait,
): Promise<T> {
  const until = performance.now() + waitMs;
  let isTold = false;
  while (true) {
    try {
      return await connect();
    } catch (error) {
      const left = until - performance.now();
      const { code, message } = error as NatsError;
      if (code !== "unreachable" || left <= 0 || signal.aborted) throw error;
      if (!isTold) onWaiting(message);
      isTold = true;
      await sleep(Math.min(left, RETRY_MS), signal);
    }
  }
}
