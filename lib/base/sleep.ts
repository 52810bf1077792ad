import { MAX_TIMER_MS } from "./timer_ms.ts";

/**
 * Waits for `ms` milliseconds, 24.8 days at most, or until the signal is aborted if that comes first.
 * Never rejects.
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener("abort", done);
  });
}
