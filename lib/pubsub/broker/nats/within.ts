import { sleep } from "../../../base/sleep.ts";

/** Resolves once work is done, or after a time, in milliseconds: then it goes on by itself. */
export async function within(ms: number, work: Promise<void>): Promise<void> {
  const time = new AbortController();
  await Promise.race([work, sleep(ms, time.signal)]);
  time.abort();
}
