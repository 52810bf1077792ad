import { MessageEdges } from "./message_edges.ts";
import type { ConnectionMemory } from "./server_memory.ts";

/** What a peer may have waiting here without being counted. */
const FREE_BYTES = 4_096;

/** What a part that arrived takes beside its bytes: two views, a buffer, and its place in the runtime. */
const PART_BYTES = 720;

/**
 * Counts what the WebSocket of a peer keeps: parts of a message that is not whole, messages that
 * nobody has read yet, and what it reads into. A stream of bytes over TCP leaves the first two to the
 * kernel.
 */
export class WebSocketInput {
  readonly #edges = new MessageEdges();
  #memory: ConnectionMemory | undefined;
  #unfinishedBytes = 0;
  #unreadBytes = 0;
  #countedBytes = 0;
  /** What the read that waits takes. */
  #readingBytes = 0;

  /** Counts from now on as input of a connection, which ends where there is no room for it. */
  countIn(memory: ConnectionMemory): void {
    this.#memory = memory;
    this.#count();
  }

  /** Some bytes came, before anybody has looked at them. */
  arrived(bytes: Uint8Array): void {
    const { isOpen, hasEnd } = this.#edges.follow(bytes);
    // Its memory is kept whole as long as any part of it is.
    const kept = bytes.buffer.byteLength + PART_BYTES;
    this.#unfinishedBytes = isOpen ? (hasEnd ? 0 : this.#unfinishedBytes) + kept : 0;
    this.#count();
  }

  /** This much memory is kept for what nobody has read. */
  keeps(bytes: number): void {
    this.#unreadBytes = bytes;
    this.#count();
  }

  /**
   * Asks for the memory of the next read, which is counted until this is called again.
   *
   * @param bytes Its size; 0 for a read of the smallest size, which is not counted.
   * @returns Whether there is room for it.
   */
  mayRead(bytes: number): boolean {
    const memory = this.#memory;
    if (memory === undefined || memory.isOver) return false;
    const more = bytes - this.#readingBytes;
    const has = more <= 0 || memory.grow(more);
    const taken = has ? bytes : 0;
    if (taken < this.#readingBytes) memory.shrink(this.#readingBytes - taken);
    this.#readingBytes = taken;
    return has;
  }

  #count(): void {
    const memory = this.#memory;
    if (memory === undefined || memory.isOver) return;
    const bytes = Math.max(0, this.#unfinishedBytes + this.#unreadBytes - FREE_BYTES);
    const more = bytes - this.#countedBytes;
    if (more === 0) return;
    this.#countedBytes = bytes;
    if (more < 0) memory.shrink(-more);
    else if (!memory.grow(more, true)) memory.evict();
  }
}
