import { Deque } from "../base/deque.ts";
import type { Turns } from "../net/turns.ts";

/** Those who pass bytes stop for others after this time. Each stop lets more wait on both sides. */
const PASSING_MS = 25;
/** The same while others wait for a turn, such as new clients: they get as long in each. */
const SHARED_MS = 2;
/** The same where there is only one connection, for which more frequent stops cost some percent. */
const ALONE_MS = 100;

/** What all flows together pass before they look whether others are due. */
const SHARED_BYTES = 1_048_576;
const MOST_BYTES = 65_536;
const LEAST_BYTES = 4_096;

/** Whom it takes turns with. */
type FlowTurnsSource = Pick<Turns, "takeLast" | "isAwaited">;

/**
 * Lets others be served beside flows whose senders always have more. All of them stop at the same time:
 * the runtime looks for what others have sent when nobody reads on. Then they go on in the order in which
 * they stopped. Those for whom the time does not suffice wait for the next turn.
 */
export class FlowTurns {
  readonly #turns: FlowTurnsSource;
  readonly #count: () => number;
  readonly #waiting = new Deque<() => void>();
  #until = 0;
  #isGiving = false;
  #given = 0;

  /**
   * @param turns Those of the proxy.
   * @param count Tells how many connections there are.
   */
  constructor(turns: FlowTurnsSource, count: () => number) {
    this.#turns = turns;
    this.#count = count;
  }

  /** A flow that has passed this many bytes since others had their turn looks whether they are due again. */
  get shareBytes(): number {
    return Math.min(MOST_BYTES, Math.max(LEAST_BYTES, SHARED_BYTES / this.#count()));
  }

  /** How many turns others have had. */
  get given(): number {
    return this.#given;
  }

  /** Whether flows with much to pass are to wait. */
  get isDue(): boolean {
    return this.#isGiving || performance.now() >= this.#until;
  }

  /** Has a flow go on, in its order, when others have had their turn. `goOn` must not throw. */
  wait(goOn: () => void): void {
    this.#waiting.push(goOn);
    if (!this.#isGiving) void this.#give();
  }

  async #give(): Promise<void> {
    this.#isGiving = true;
    while (this.#waiting.length > 0) {
      await this.#turns.takeLast();
      this.#given++;
      this.#until = performance.now() + this.#passingMs();
      do this.#waiting.shift()!(); while (
        this.#waiting.length > 0 && performance.now() < this.#until
      );
    }
    this.#isGiving = false;
  }

  #passingMs(): number {
    if (this.#turns.isAwaited) return SHARED_MS;
    return this.#count() < 2 ? ALONE_MS : PASSING_MS;
  }
}
