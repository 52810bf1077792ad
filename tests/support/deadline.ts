/** Waiting in tests: always with a deadline, never for a fixed time. */

/** Long enough for a busy machine; a test that passes never waits for it. */
const DEADLINE_MS = 30_000;

const POLL_MS = 5;

/** Fails, instead of hanging, when a promise takes too long. */
export async function deadline<T>(
  promise: PromiseLike<T>,
  what = "the promise",
  ms: number = DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what}: not within ${ms} ms`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until a condition holds; fails when it does not in time.
 *
 * @param pollMs How often to look: less often where that costs much.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what = String(holds),
  ms: number = DEADLINE_MS,
  pollMs: number = POLL_MS,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Not so within ${ms} ms: ${what}`);
    await pause(pollMs);
  }
}

/** Waits, for what has no condition: that nothing happens in the meantime. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
