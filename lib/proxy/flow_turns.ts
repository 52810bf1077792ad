import { Deque } from "../base/deque.ts";
import type { Turns } from "../net/turns.ts";

/** Flows stop for others after this time. At each stop, more bytes pile up on both sides. */
const PASSING_MS = 25;
/**
 * The same while others wait for a turn, such as new clients, whose turns are twice as long, or flows that
 * have little to pass.
 */
const SHARED_MS = 1;
/** The same where there is only one connection, for which more frequent stops cost some percent. */
const ALONE_MS = 100;

/** Bytes that all flows together pass before they look at the clock; and the bounds for one flow. */
const SHARED_BYTES = 1_048_576;
const MOST_BYTES = 65_536;
const LEAST_BYTES = 4_096;

/** Very little, little, or much. */
export type Passed = 0 | 1 | 2;

/** How many flows go on in a row: of those that have passed very little, of those little, of the others. */
const AT_A_TIME = [8, 2, 1] as const;

/** The turns of the others. */
type FlowTurnsSource = Pick<Turns, "takeLast" | "isAwaited">;

/**
 * Lets others be served beside flows whose senders always have more. All such flows stop at the same
 * time, because the runtime polls other sockets only when no read goes on at once. Then they go on in
 * the order in which they stopped; those that find no time left wait for the next turn. Flows that
 * have passed little so far have lines of their own, which go on in turn with that of the others.
 */
export class FlowTurns {
  readonly #turns: FlowTurnsSource;
  readonly #count: () => number;
  readonly #waiting = new Deque<() => void>();
  /** Those who have passed very little, and those who have passed little. */
  readonly #brief = [new Deque<() => void>(), new Deque<() => void>()];
  readonly #lines = [...this.#brief, this.#waiting];
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

  /**
   * Calls `goOn`, which must not throw, when others have had their turn; the first who waits first.
   *
   * @param passed How much the flow has passed since it had nothing to pass.
   */
  wait(goOn: () => void, passed: Passed = 2): void {
    this.#lines[passed]!.push(goOn);
    if (!this.#isGiving) void this.#give();
  }

  get #isAnyWaiting(): boolean {
    return this.#lines.some(({ length }) => length > 0);
  }

  async #give(): Promise<void> {
    this.#isGiving = true;
    while (this.#isAnyWaiting) {
      await this.#turns.takeLast();
      this.#given++;
      this.#until = performance.now() + this.#passingMs();
      do {
        this.#lines.forEach((line, passed) => {
          for (let i = 0; i < AT_A_TIME[passed]!; i++) line.shift()?.();
        });
      } while (this.#isAnyWaiting && performance.now() < this.#until);
    }
    this.#isGiving = false;
  }

  #passingMs(): number {
    const isBriefWaiting = this.#brief.some(({ length }) => length > 0);
    if (isBriefWaiting || this.#turns.isAwaited) return SHARED_MS;
    return this.#count() < 2 ? ALONE_MS : PASSING_MS;
  }
}
