import { Random } from "./random.ts";
import { type Soak, SoakError, type SoakOptions } from "./soak.ts";

const PROGRESS_MS = 10_000;

/**
 * Does rounds until the time is up and as many frames are sent as were asked for, one at least.
 *
 * @throws {SoakError} when a round fails; it ends with that.
 */
export async function runSoak(soak: Soak, options: SoakOptions): Promise<string> {
  const { durationMs, minFrames = 0, onProgress, signal } = options;
  await using running = await soak.start();
  const end = performance.now() + durationMs;
  let toldAt = performance.now();
  for (let { seed } = options;; seed = (seed + 1) >>> 0) {
    try {
      await running.round(new Random(seed));
    } catch (error) {
      throw new SoakError(seed, error);
    }
    const now = performance.now();
    const isOver = now >= end && (running.frames ?? Infinity) >= minFrames;
    if (isOver || signal.aborted) return running.summary;
    if (now - toldAt < PROGRESS_MS) continue;
    toldAt = now;
    onProgress(running.summary);
  }
}
