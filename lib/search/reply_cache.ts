/** The most that all replies take, and one of them: a large one is seldom asked for twice. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_REPLY_BYTES = 64 * 1024;

/**
 * Encoded replies to exact lookups, so that a key asked for again costs a copy of its reply and
 * nothing else. Holds replies of one generation of the entries; the oldest go when it is full.
 */
export class ReplyCache {
  readonly #replies = new Map<string, Uint8Array>();
  #generation = -1;
  #bytes = 0;

  /** The reply for a key, if it is known and no entry changed since. */
  get(key: string, generation: number): Uint8Array | undefined {
    return generation === this.#generation ? this.#replies.get(key) : undefined;
  }

  /** Keeps a reply, which must not be written to any more. */
  set(key: string, generation: number, reply: Uint8Array): void {
    if (reply.length > MAX_REPLY_BYTES) return;
    if (generation !== this.#generation) {
      this.#replies.clear();
      this.#bytes = 0;
      this.#generation = generation;
    }
    for (const [oldest, bytes] of this.#replies) {
      if (this.#bytes + reply.length <= MAX_BYTES) break;
      this.#replies.delete(oldest);
      this.#bytes -= bytes.length;
    }
    this.#replies.set(key, reply);
    this.#bytes += reply.length;
  }
}
