import type { PubSubMessage } from "../receiving/message.ts";

/** Whose requests are waited for. */
interface RequestHolder {
  /** The requests that the program has or gets, and has not replied to. */
  requests(): Iterable<PubSubMessage>;
}

/** Requests that a program has accepted: a client that drains lets it reply to them. */
export class OpenRequests {
  /** How many subscriptions have each request, while somebody waits. */
  #open: Map<PubSubMessage, number> | undefined;
  readonly #done = Promise.withResolvers<void>();

  /** How many requests are waited for. */
  get size(): number {
    return this.#open?.size ?? 0;
  }

  /** The program has replied to a request. */
  replied(message: PubSubMessage): void {
    if (this.#open) this.#remove(message, Infinity);
  }

  /** A subscription is done with a message, which may be a request. */
  handled(message: PubSubMessage): void {
    if (this.#open) this.#remove(message, 1);
  }

  /** Nobody replies any more. */
  close(): void {
    this.#open?.clear();
    this.#done.resolve();
  }

  /** Resolves when all requests that some have are replied to, or they are done with them. */
  settled(holders: Iterable<RequestHolder>): Promise<void> {
    this.#open = new Map();
    for (const holder of holders) {
      for (const message of holder.requests()) {
        if (message.replied) continue;
        this.#open.set(message, (this.#open.get(message) ?? 0) + 1);
      }
    }
    if (this.#open.size === 0) this.#done.resolve();
    return this.#done.promise;
  }

  #remove(message: PubSubMessage, count: number): void {
    const open = this.#open?.get(message);
    if (open === undefined) return;
    if (open > count) this.#open!.set(message, open - count);
    else this.#open!.delete(message);
    if (this.#open!.size === 0) this.#done.resolve();
  }
}
