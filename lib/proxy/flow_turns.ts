import type { Turns } from "../net/turns.ts";

/** Those who pass bytes stop for others after this time. Each stop lets more wait on both sides. */
const PASSING_MS = 25;
/** The same where there is only one connection, for which more frequent stops cost some percent. */
const ALONE_MS = 100;

/**
 * Lets others be served beside flows whose senders always have more. All of them stop at the same time:
 * the runtime looks for what others have sent when nobody reads on.
 */
export class FlowTurns {
  readonly #turns: Pick<Turns, "take">;
  readonly #isAlone: () => boolean;
  #until = 0;
  #giving: Promise<void> | undefined;

  /**
   * @param turns Those of the proxy.
   * @param isAlone Tells whether there is only one connection.
   */
  constructor(turns: Pick<Turns, "take">, isAlone: () => boolean) {
    this.#turns = turns;
    this.#isAlone = isAlone;
  }

  /** What a flow waits for before it reads on; `undefined` if it need not wait. */
  take(): Promise<void> | undefined {
    if (this.#giving || performance.now() < this.#until) return this.#giving;
    this.#giving = this.#give();
    return this.#giving;
  }

  async #give(): Promise<void> {
    await this.#turns.take(true);
    this.#until = performance.now() + (this.#isAlone() ? ALONE_MS : PASSING_MS);
    this.#giving = undefined;
  }
}
