import { LimitLook, tickMs } from "../base/periodic_look.ts";

/** What is watched: whether the server does something while answers are outstanding. */
export interface Watched {
  /** Messages that are not answered; while there are none, silence is no fault. */
  readonly underWay: number;
  /** A number that grows as long as the server does something. */
  readonly progress: number;
  /** Nothing happened for too long. */
  giveUp(timeoutMs: number): void;
}

/** How far a connection had come when a check last saw a change, and when. */
interface Sight {
  readonly progress: number;
  readonly at: number;
}

/**
 * Gives up connections that await an answer and receive nothing for too long. One timer checks all
 * of them, so that sending and receiving need no timers.
 */
export class SilenceWatch implements Disposable {
  readonly #connections: Iterable<Watched>;
  readonly #timeoutMs: number;
  readonly #sights = new WeakMap<Watched, Sight>();
  readonly #looking: LimitLook;

  /** Checks what there is at that time, until the watch is disposed of. */
  constructor(connections: Iterable<Watched>, timeoutMs: number) {
    this.#connections = connections;
    this.#timeoutMs = timeoutMs;
    this.#looking = new LimitLook(tickMs(timeoutMs), (now) => this.#look(now));
    this.#looking.start();
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    this.#looking.stop();
  }

  #look(now: number): void {
    for (const connection of this.#connections) {
      const sight = this.#sights.get(connection);
      const { progress, underWay } = connection;
      if (underWay === 0 || sight?.progress !== progress) {
        this.#sights.set(connection, { progress, at: now });
      } else if (now - sight.at >= this.#timeoutMs) connection.giveUp(this.#timeoutMs);
    }
  }
}
