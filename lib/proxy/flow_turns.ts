import { Deque } from "../base/deque.ts";
import type { Turns } from "../net/turns.ts";

/** Those who pass bytes stop for others after this time. Each stop lets more wait on both sides. */
const PASSING_MS = 25;
/** The same while others wait for a turn, such as new clients: each stop gives them one. */
const SHARED_MS = 8;
/** The same where there is only one connection, for which more frequent stops cost some percent. */
const ALONE_MS = 100;

/** Whom it takes turns with. */
type FlowTurnsSource = Pick<Turns, "take" | "isAwaited">;

/**
 * Lets others be served beside flows whose senders always have more. All of them stop at the same time:
 * the runtime looks for what others have sent when nobody reads on. Then they go on in the order in which
 * they stopped. Those for whom the time does not suffice wait for the next turn.
 */
export class FlowTurns {
  readonly #turns: FlowTurnsSource;
  readonly #isAlone: () => boolean;
  readonly #waiting = new Deque<() => void>();
  #until = 0;
  #isGiving = false;
  #given = 0;

  /**
   * @param turns Those of the proxy.
   * @param isAlone Tells whether there is only one connection.
   */
  constructor(turns: FlowTurnsSource, isAlone: () => boolean) {
    this.#turns = turns;
    this.#isAlone = isAlone;
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
      await this.#turns.take();
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
    return this.#isAlone() ? ALONE_MS : PASSING_MS;
  }
}
