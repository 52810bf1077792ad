import { ApiError, getJson } from "../common/session.ts";

/** How long to wait before asking again where the server is not there, or not ready. */
const RETRY_MS = 1_000;

/**
 * Asks one thing at a time: a new question ends the one before, so the newest answer wins. Asks again
 * by itself while the server does not answer, or is not ready.
 */
export class Asking<T> {
  #asked: AbortController | undefined;

  /**
   * Asks.
   *
   * @param waitMs How long to wait before, as the next key may follow at once.
   * @param onTrouble Is told what is wrong while it is asked again.
   * @returns The answer; `undefined` if something else was asked meanwhile.
   * @throws {ApiError} what the server answers.
   */
  async ask(
    path: string,
    waitMs: number,
    onTrouble: (message: string) => void = () => {},
  ): Promise<T | undefined> {
    this.stop();
    const asked = this.#asked = new AbortController();
    const { signal } = asked;
    for (let wait = waitMs;; wait = RETRY_MS) {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (signal.aborted) return undefined;
      try {
        const answer = await getJson<T>(path, signal);
        return signal.aborted ? undefined : answer;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (error instanceof ApiError) {
          if (error.status !== 503) throw error;
          onTrouble(`${error.message}. Trying again…`);
        } else onTrouble("The server does not answer. Trying again…");
      }
    }
  }

  /** Drops what was asked. */
  stop(): void {
    this.#asked?.abort();
    this.#asked = undefined;
  }
}
