import { sleep } from "../base/sleep.ts";
import { dial } from "../net/mod.ts";
import { connectFailure } from "./connection_failure.ts";
import type { LoadError } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";

/** The most connections that are being made at the same time. */
const LANES = 128;

/** What happens while connections are made. */
export interface OpeningObserver {
  /** A connection, by its number from 1, is about to be made. */
  starting?(id: number): void;
  /** A connection was made. */
  opened(id: number, conn: Deno.Conn): void;
  /** A connection could not be made. */
  failed(id: number, error: LoadError): void;
}

/**
 * Makes one thread's connections, at the plan's rate. With n threads, thread i makes connections
 * i, i + n, i + 2n, … Resolves when all were made or have failed, or the signal is aborted.
 */
export async function openConnections(
  { plan, index }: LoadPart,
  signal: AbortSignal,
  observer: OpeningObserver,
): Promise<void> {
  const { address, connections, workers, connectRatePerSecond } = plan;
  const options = { tls: plan.tls, timeoutMs: plan.connectTimeoutMs, signal };
  const startedAt = performance.now();
  let next = index;
  const lane = async () => {
    while (next < connections && !signal.aborted) {
      const number = next;
      next += workers;
      const waitMs = startedAt + number * 1_000 / connectRatePerSecond - performance.now();
      if (waitMs > 0) await sleep(waitMs, signal);
      if (signal.aborted) break;
      const id = number + 1;
      observer.starting?.(id);
      try {
        observer.opened(id, await dial(address, options));
      } catch (cause) {
        if (signal.aborted) break;
        observer.failed(id, connectFailure(id, cause));
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
