import { Deque } from "../base/deque.ts";
import { freeDescriptors } from "../net/giving_way.ts";
import type { Turns } from "../net/turns.ts";

/** So many dial again at a time: each attempt takes a third of a millisecond, even if there is no descriptor. */
const AT_A_TIME = 8;

/** Those who could not dial because no descriptor was left, first come first. */
export class Redials {
  readonly #turns: Pick<Turns, "takeToEnd">;
  readonly #waiting = new Deque<(isFree: boolean) => void>();
  #isFreeing = false;

  /** @param turns Those in which connections end. */
  constructor(turns: Pick<Turns, "takeToEnd">) {
    this.#turns = turns;
  }

  /** Waits until there may be a descriptor. Resolves to `false` if nobody can give way. Never rejects. */
  wait(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push(resolve);
    if (!this.#isFreeing) void this.#free();
    return promise;
  }

  async #free(): Promise<void> {
    this.#isFreeing = true;
    while (this.#waiting.length > 0) {
      const isFree = await freeDescriptors(this.#turns);
      for (let i = 0; i < AT_A_TIME && this.#waiting.length > 0; i++) {
        this.#waiting.shift()!(isFree);
      }
    }
    this.#isFreeing = false;
  }
}
