import { Deque } from "./deque.ts";

/**
 * Work that waits for its turn on the one thread: it goes on one after the other, in the order in
 * which it came, until all of it together has taken its time. However much waits, nothing else has to
 * wait for longer than that.
 *
 * @example
 * ```ts
 * import { TurnLine } from "./turn_line.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const line = new TurnLine();
 * const order: number[] = [];
 * for (const i of [1, 2, 3]) void line.wait().then(() => order.push(i));
 * await line.serve(1_000);
 * assertEquals(order, [1, 2, 3]);
 * ```
 */
export class TurnLine {
  readonly #waiting = new Deque<() => void>();

  /** How much waits. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is the caller's turn. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Lets some of what waits go on: the first in any case, the others until this much time has passed.
   *
   * @param ms The time that all may take together.
   */
  serve(ms: number): Promise<void> {
    return serveLine(this.#waiting, ms);
  }
}

/** Those who wait, in whatever order. */
interface Line {
  readonly length: number;
  shift(): (() => void) | undefined;
}

/** Lets some of those in a line go on, as {@linkcode TurnLine.serve} does. */
export async function serveLine(line: Line, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (line.length > 0) {
    line.shift()!();
    // What waited goes on before this does.
    await undefined;
    if (performance.now() >= end) return;
  }
}
