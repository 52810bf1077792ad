/**
 * Something that some wait for and that happens again and again: that there is room, or that nothing
 * runs. All who wait share one promise. Whoever begins to wait afterwards waits for the
 * next time. So look first whether there is anything to wait for, if that can be seen.
 *
 * @example
 * ```ts
 * import { Condition } from "./condition.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const room = new Condition();
 * const waiting = ["first"];
 * const pushing = (async () => {
 *   while (waiting.length > 0) await room.wait();
 *   waiting.push("second");
 * })();
 * waiting.length = 0;
 * room.notify();
 * await pushing;
 * assertEquals(waiting, ["second"]);
 * ```
 */
export class Condition {
  #next: PromiseWithResolvers<void> | undefined;

  /** Whether somebody waits. */
  get isAwaited(): boolean {
    return this.#next !== undefined;
  }

  /** Resolves when {@linkcode Condition.notify} is called next. */
  wait(): Promise<void> {
    return (this.#next ??= Promise.withResolvers()).promise;
  }

  /** Has all go on who wait. */
  notify(): void {
    this.#next?.resolve();
    this.#next = undefined;
  }

  /** Rejects the promises of all who wait. If nobody does any more, nothing is reported. */
  fail(reason: unknown): void {
    this.#next?.promise.catch(() => {});
    this.#next?.reject(reason);
    this.#next = undefined;
  }
}
