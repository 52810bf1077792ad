import { FairLine } from "./fair_line.ts";

/** How much a {@linkcode FairQueue} lets run and wait. */
export interface FairQueueLimits {
  /** Tasks that run at the same time. */
  readonly atOnce: number;
  /** Tasks that wait, of all keys together. */
  readonly maxWaiting: number;
  /** Tasks of one key that wait. */
  readonly maxWaitingPerKey: number;
}

/** A task was not taken: too many wait already. */
export class QueueFullError extends Error {
  override readonly name = "QueueFullError";
}

/** One that waits: `start` lets it run. */
interface Waiting {
  start(): void;
}

/**
 * Runs costly tasks, a few at the same time. The others wait by key, such as the address of the peer
 * that caused them, and the keys take turns: a thousand tasks of one peer delay another's by one
 * task, not by a thousand.
 *
 * @example
 * ```ts
 * import { FairQueue } from "./fair_queue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new FairQueue({ atOnce: 1, maxWaiting: 10, maxWaitingPerKey: 5 });
 * const order: string[] = [];
 * const task = (name: string) => () => Promise.resolve(void order.push(name));
 * await Promise.all([
 *   queue.run("a", task("a1")),
 *   queue.run("a", task("a2")),
 *   queue.run("a", task("a3")),
 *   queue.run("b", task("b1")),
 * ]);
 * assertEquals(order, ["a1", "a2", "b1", "a3"]);
 * ```
 */
export class FairQueue {
  readonly #limits: FairQueueLimits;
  readonly #line = new FairLine<Waiting>();
  #running = 0;

  /** Nothing runs at first. */
  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  /** How many tasks wait. */
  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Runs a task when its turn has come.
   *
   * @param signal Gives up a task that still waits; one that runs goes on.
   * @returns What the task gives.
   * @throws {QueueFullError} if too many wait. Rejects with the signal's reason, or as the task does.
   */
  async run<T>(key: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running < this.#limits.atOnce) this.#running++;
    else await this.#wait(key, signal);
    try {
      return await task();
    } finally {
      this.#next();
    }
  }

  #wait(key: string, signal: AbortSignal | undefined): Promise<void> {
    const { maxWaiting, maxWaitingPerKey } = this.#limits;
    if (this.waiting >= maxWaiting || this.#line.countOf(key) >= maxWaitingPerKey) {
      throw new QueueFullError(`${this.waiting} tasks wait already`);
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#line.delete(key, waiting);
        reject(signal!.reason);
      };
      const waiting = {
        start() {
          signal?.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      this.#line.push(key, waiting);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  /** Hands the place of a task that has ended to the next. */
  #next(): void {
    const waiting = this.#line.shift();
    if (waiting === undefined) this.#running--;
    else waiting.start();
  }
}
