import { Deque } from "../base/deque.ts";
import type { Turns } from "../net/turns.ts";

/** Flows stop for others after this time. At each stop, more bytes pile up on both sides. */
const PASSING_MS = 25;
/** The same while others wait for a turn, such as new clients, whose turns are twice as long. */
const SHARED_MS = 1;
/** The same where there is only one connection, for which more frequent stops cost some percent. */
const ALONE_MS = 100;

/** Bytes that all flows together pass before they look at the clock; and the bounds for one flow. */
const SHARED_BYTES = 1_048_576;
const MOST_BYTES = 65_536;
const LEAST_BYTES = 4_096;

/** The turns of the others. */
type FlowTurnsSource = Pick<Turns, "takeLast" | "isAwaited">;

/**
 * Lets others be served beside flows whose senders always have more. All such flows stop at the same
 * time, because the runtime polls other sockets only when no read goes on at once. Then they go on in
 * the order in which they stopped; those that find no time left wait for the next turn.
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

  /** After this many bytes a flow looks whether others are due. */
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

  /** Calls `goOn`, which must not throw, when others have had their turn; the first who waits first. */
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
