import type { CoreLink } from "./core_link.ts";

/** Requests on one reply subject that wait for the same answer of the server. */
interface Waiting {
  count: number;
  unanswered: number;
  readonly resolve: ((some: boolean) => void)[];
}

/**
 * Finds out whether anybody takes a request. The server tells at once if nobody does, and before it
 * confirms what was sent after the request.
 */
export class Responders {
  readonly #link: CoreLink;
  /** Requests that were sent since the server was asked last. */
  #next: Map<string, Waiting> | undefined;
  /** Those that it was asked about, the oldest first. */
  readonly #asked: Map<string, Waiting>[] = [];

  constructor(link: CoreLink) {
    this.#link = link;
  }

  /** Resolves to whether somebody takes the request that was sent last with this reply subject. */
  some(replyTo: string): Promise<boolean> {
    if (!this.#link.connected) return Promise.resolve(false);
    if (this.#next === undefined) {
      this.#next = new Map();
      queueMicrotask(() => void this.#ask());
    }
    let waiting = this.#next.get(replyTo);
    if (waiting === undefined) {
      this.#next.set(replyTo, waiting = { count: 0, unanswered: 0, resolve: [] });
    }
    waiting.count++;
    return new Promise((resolve) => waiting.resolve.push(resolve));
  }

  /** The server says that nobody takes one of the requests with this reply subject. */
  none(replyTo: string): void {
    for (const asked of [...this.#asked, this.#next]) {
      const waiting = asked?.get(replyTo);
      if (waiting === undefined || waiting.unanswered === waiting.count) continue;
      waiting.unanswered++;
      return;
    }
  }

  async #ask(): Promise<void> {
    const asked = this.#next!;
    this.#next = undefined;
    this.#asked.push(asked);
    let isLost = false;
    await this.#link.flush().catch(() => isLost = true);
    this.#asked.splice(this.#asked.indexOf(asked), 1);
    for (const { count, unanswered, resolve } of asked.values()) {
      // Of several, the server does not say which one found nobody: each may have found somebody.
      const some = !isLost && unanswered < count;
      for (const each of resolve) each(some);
    }
  }
}
