import { ConnectionError, dial } from "../net/mod.ts";
import { LoadConnection } from "./load_connection.ts";
import { LoadError } from "./load_error.ts";
import type { LoadPart } from "./load_plan.ts";
import type { Payload } from "./payload.ts";
import { sleep } from "../base/sleep.ts";

/** The most connections that are being made at the same time. */
const LANES = 128;

/** What happens while connections are made. */
export interface OpeningObserver {
  /** A connection, by its number from 1, is about to be made. */
  starting?(id: number): void;
  /** A connection was made. */
  opened(connection: LoadConnection): void;
  /** A connection could not be made. */
  failed(error: LoadError): void;
}

/**
 * Makes one thread's connections, at the plan's rate. With n threads, thread i makes connections
 * i, i + n, i + 2n, … Resolves when all were made or have failed, or the signal is aborted.
 */
export async function openConnections(
  { plan, index }: LoadPart,
  payload: Payload,
  signal: AbortSignal,
  observer: OpeningObserver,
): Promise<void> {
  const { address, connections, workers, connectRatePerSecond, verify } = plan;
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
        const conn = await dial(address, options);
        observer.opened(new LoadConnection(id, conn, address, payload, verify));
      } catch (cause) {
        if (signal.aborted) break;
        const reason = cause instanceof ConnectionError
          ? cause.message.replace("Cannot", "cannot")
          : String(cause);
        observer.failed(new LoadError("connect", `connection ${id}: ${reason}`, { cause }));
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
