import { TurnLine } from "./turn_line.ts";

/**
 * How long steps may keep everything else waiting, in milliseconds: all together, however much work
 * is done in steps at the same time.
 */
const STEP_MS = 2;

/** How much is done before others are asked for: what is over by then costs no promise. */
const FIRST_STEP_MS = 0.1;

/** Lets others be served; `undefined` from it means that they just were. */
export type Pause = () => Promise<void> | undefined;

/**
 * Does work that may take long a little at a time, so that others are served in between. Where much
 * work is done in steps at the same time, a thousand requests for instance, it takes turns.
 *
 * @param part Does a small part of the work, of 50 µs or so; `true` once all is done.
 * @param pause What is done between two steps; it has to let work go on one after the other, as a
 * {@linkcode TurnLine} does. Without it a timer, which takes 1 to 2 ms.
 * @returns `undefined` if all was done within 0.1 ms, else a promise that resolves when it is. It
 * rejects with what `part` throws.
 */
export function inSteps(part: () => boolean, pause: Pause = nextTimer): Promise<void> | undefined {
  return atOnce(part) ? undefined : stepOn(part, pause);
}

/** Does the same work if it takes no longer than 0.1 ms; whether all was done. */
export function atOnce(part: () => boolean): boolean {
  return step(part, FIRST_STEP_MS);
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
  do await pause(); while (!step(part, STEP_MS));
}

/** Whether all was done. */
function step(part: () => boolean, ms: number): boolean {
  const end = performance.now() + ms;
  while (!part()) {
    if (performance.now() >= end) return false;
  }
  return true;
}

/** What waits for the next timer. */
const line = new TurnLine();
let isTimed = false;

function nextTimer(): Promise<void> {
  if (!isTimed) {
    isTimed = true;
    setTimeout(serveLine, 0);
  }
  return line.wait();
}

async function serveLine(): Promise<void> {
  await line.serve(STEP_MS);
  isTimed = line.length > 0;
  if (isTimed) setTimeout(serveLine, 0);
}
