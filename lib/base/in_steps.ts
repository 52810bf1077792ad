/** How long a step may keep everything else waiting, in milliseconds. */
const STEP_MS = 2;

/** Lets others be served; `undefined` from it means that they just were. */
export type Pause = () => Promise<void> | undefined;

/**
 * Does work that may take long a little at a time, so that others are served in between.
 *
 * @param part Does a small part of the work, of 50 µs or so; `true` once all is done.
 * @param pause What is done between two steps. Without it a timer, which takes 1 to 2 ms.
 * @returns `undefined` if all was done within 2 ms, else a promise that resolves when it is. It
 * rejects with what `part` throws.
 */
export function inSteps(part: () => boolean, pause: Pause = nextTimer): Promise<void> | undefined {
  return step(part) ? undefined : stepOn(part, pause);
}

/**
 * Work for {@linkcode inSteps}: visits all items.
 *
 * @param count How many are visited in one part.
 */
export function visitInParts<T>(
  items: Iterable<T>,
  visit: (item: T) => void,
  count = 200,
): () => boolean {
  const iterator = items[Symbol.iterator]();
  return () => {
    for (let i = 0; i < count; i++) {
      const { done, value } = iterator.next();
      if (done) return true;
      visit(value);
    }
    return false;
  };
}

async function stepOn(part: () => boolean, pause: Pause): Promise<void> {
  while (true) {
    await pause();
    if (step(part)) return;
  }
}

/** Whether all was done. */
function step(part: () => boolean): boolean {
  const end = performance.now() + STEP_MS;
  while (!part()) {
    if (performance.now() >= end) return false;
  }
  return true;
}

function nextTimer(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
