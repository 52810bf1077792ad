/** How long a step may keep everything else waiting, in milliseconds. */
const STEP_MS = 2;

/**
 * Does work that may take long a little at a time, so that others are served in between.
 *
 * @param part Does a small part of the work, of 50 µs or so; `true` once all is done.
 * @returns `undefined` if all was done within 2 ms, else a promise that resolves when it is. It
 * rejects with what `part` throws.
 */
export function inSteps(part: () => boolean): Promise<void> | undefined {
  return step(part) ? undefined : stepOn(part);
}

async function stepOn(part: () => boolean): Promise<void> {
  do await new Promise((resolve) => setTimeout(resolve, 0)); while (!step(part));
}

/** Whether all was done. */
function step(part: () => boolean): boolean {
  const end = performance.now() + STEP_MS;
  while (!part()) {
    if (performance.now() >= end) return false;
  }
  return true;
}
