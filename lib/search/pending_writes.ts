import type { Peer } from "../net/mod.ts";

/**
 * Which clients wait for writes of their own. What a client asks for after a write is answered after
 * it, so that it sees it, pipelined or not.
 */
export class PendingWrites {
  readonly #settled = new WeakMap<Peer, Promise<unknown>>();
  #count = 0;

  /** Notes a client's write. @param reply Its reply; a failed one is waited for as well. */
  add<T>(client: Peer, reply: Promise<T>): Promise<T> {
    const own = reply.then(() => {}, () => {});
    const before = this.#settled.get(client);
    const settled = before === undefined ? own : Promise.all([before, own]);
    this.#settled.set(client, settled);
    this.#count++;
    void settled.then(() => {
      this.#count--;
      if (this.#settled.get(client) === settled) this.#settled.delete(client);
    });
    return reply;
  }

  /** Resolves when the client's writes so far are answered; `undefined` if none is pending. */
  of(client: Peer): Promise<unknown> | undefined {
    return this.#count === 0 ? undefined : this.#settled.get(client);
  }
}
