import { ByteCache } from "../../base/byte_cache.ts";
import type { EncodedFrame, Frame } from "../../frame/mod.ts";

/** Replies larger than this are made each time, so that the cache takes 32 MiB at most. */
const MAX_REPLY_BYTES = 8_192;
const CAPACITY = 4_096;

/**
 * Encoded replies to requests that are answered at once, by the bytes of the request: one that was
 * asked before costs a look-up and a copy, where parsing it and encoding its reply takes 2 µs.
 * Holds replies of one generation of the entries.
 */
export class ReplyCache {
  #replies = new ByteCache<EncodedFrame>(CAPACITY);
  #generation = -1;

  /** The reply to a request of the same content, if it is known and no entry changed since. */
  find(request: Frame, generation: number): EncodedFrame | undefined {
    if (generation !== this.#generation) {
      this.#replies = new ByteCache(CAPACITY);
      this.#generation = generation;
    }
    return this.#replies.find(request.buffer, request.contentStart, request.end);
  }

  /** Keeps the reply to the request that was not found. */
  add(request: Frame, reply: EncodedFrame): void {
    if (reply.bytes.length > MAX_REPLY_BYTES) return;
    this.#replies.add(request.buffer, request.contentStart, request.end, reply);
  }
}
