import { sleep } from "./sleep.ts";

/**
 * Waits for work for `ms` milliseconds at most, 24.8 days if that is less. What takes longer goes on by
 * itself.
 *
 * @returns Whether it was done in time.
 * @throws {Error} what the work throws in time.
 */
export async function before(work: Promise<unknown>, ms: number): Promise<boolean> {
  const time = new AbortController();
  try {
    return await Promise.race([
      work.then(() => true),
      sleep(ms, time.signal).then(() => false),
    ]);
  } finally {
    time.abort();
  }
}
