import type { SharedMemory } from "../../net/bytes/shared_memory.ts";

/** Above it, requests are copied before their handler is called. */
const MAX_LENT_BYTES = 262_144;

/**
 * The memory that a connection has read requests into and that handlers still use. What a handler
 * has of its request before it first awaits are views of that memory, and stay right because the
 * next read goes elsewhere until the answer is there.
 *
 * A small request may hold a large memory, so this is bounded: with much lent, the connection hands
 * out copies instead, which hold what the request needs.
 */
export class LentMemory {
  #bytes = 0;

  /** Whether so much is lent that requests have to be copied. */
  get isMuch(): boolean {
    return this.#bytes > MAX_LENT_BYTES;
  }

  /** Bytes that are lent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lends a memory, until it is given back; it may be lent many times at once. */
  lend(memory: SharedMemory): SharedMemory {
    if (!memory.borrowed) this.#bytes += memory.bytes.length;
    memory.borrow();
    return memory;
  }

  /** Ends one {@linkcode LentMemory.lend}. */
  giveBack(memory: SharedMemory): void {
    memory.giveBack();
    if (!memory.borrowed) this.#bytes -= memory.bytes.length;
  }
}
