import { Budget } from "../base/budget.ts";
import type { ReadMemory } from "./bytes/read_buffer.ts";

/** Of the budget, what reads may take only to be faster. */
const SPEED_SHARE = 1 / 2;

/** From this share of the output's budget on, it is noted when each peer takes something. */
const WATCHED_SHARE = 1 / 2;

/** A peer that took nothing for this long is not reading. */
const STALLED_MS = 1_000;

/** A connection whose memory counts. */
export interface MemoryOwner {
  /** The connection has to end, for the others' sake. */
  evict(): void;
}

/**
 * What the connections of a server hold, all of them together: bytes of frames that are not complete,
 * and bytes that peers have not read. Where there is no room for an unfinished frame, the one goes
 * that has taken most for longest, in bytes × time: a frame that comes in quickly costs little,
 * however large it is, and one that stalls or drips in costs more and more. Where too much waits for
 * peers, those go that do not read.
 */
export class ServerMemory {
  /** For what came and is not dealt with. */
  readonly input: Budget;
  /** For what goes out and was not read. */
  readonly output: Budget;
  readonly #owners = new Set<ConnectionMemory>();
  #relieving = false;

  /** Both in bytes. */
  constructor(maxInputBytes: number, maxOutputBytes: number) {
    this.input = new Budget("unfinished frames", maxInputBytes);
    this.output = new Budget("unread output", maxOutputBytes);
  }

  /** The memory of a connection. */
  of(owner: MemoryOwner): ConnectionMemory {
    return new ConnectionMemory(this, owner);
  }

  /** Takes bytes for input, for a connection that cannot go on without them. */
  takeInput(bytes: number, asking: ConnectionMemory): boolean {
    while (!this.input.tryTake(bytes)) {
      const costliest = this.#costliestInput(asking);
      if (costliest === asking) return false;
      costliest.evict();
    }
    return true;
  }

  /** Takes bytes for input that make reads faster. */
  tryTakeInput(bytes: number): boolean {
    const { usedBytes, maxBytes } = this.input;
    return usedBytes + bytes <= maxBytes * SPEED_SHARE && this.input.tryTake(bytes);
  }

  /** Counts output. @returns Whether it should be noted when the peer takes something. */
  countOutput(bytes: number): boolean {
    const { output } = this;
    output.take(bytes);
    if (output.isOver && !this.#relieving) {
      // Not at once: whoever sends is in the middle of something.
      this.#relieving = true;
      queueMicrotask(() => this.#relieve());
    }
    return output.usedBytes > output.maxBytes * WATCHED_SHARE;
  }

  /** Called by a connection's memory when it holds something for the first time. */
  add(memory: ConnectionMemory): void {
    this.#owners.add(memory);
  }

  /** Called by a connection's memory when it holds nothing any more. */
  delete(memory: ConnectionMemory): void {
    this.#owners.delete(memory);
  }

  #relieve(): void {
    this.#relieving = false;
    while (this.output.isOver) {
      const last = this.#lastToRead();
      if (last === undefined) return;
      last.evict();
    }
  }

  #costliestInput(asking: ConnectionMemory): ConnectionMemory {
    const now = performance.now();
    let costliest = asking;
    let most = asking.inputCost(now);
    for (const memory of this.#owners) {
      const cost = memory.inputCost(now);
      if (cost <= most) continue;
      most = cost;
      costliest = memory;
    }
    return costliest;
  }

  /** Of those that do not read the one that holds most; if all read, of all. */
  #lastToRead(): ConnectionMemory | undefined {
    const now = performance.now();
    let last: ConnectionMemory | undefined;
    let lastStalled = false;
    for (const memory of this.#owners) {
      if (memory.outputBytes === 0) continue;
      const stalled = now - memory.readAt > STALLED_MS;
      const isWorse = last === undefined || (stalled && !lastStalled) ||
        (stalled === lastStalled && memory.outputBytes > last.outputBytes);
      if (!isWorse) continue;
      last = memory;
      lastStalled = stalled;
    }
    return last;
  }
}

/** What one connection holds of a {@linkcode ServerMemory}. */
export class ConnectionMemory implements ReadMemory {
  /** Bytes for input, beyond what every connection has. */
  inputBytes = 0;
  /** Bytes that the peer has not read. */
  outputBytes = 0;
  /** When the peer last took something, in milliseconds of `performance.now()`, once that matters. */
  readAt = 0;
  readonly #server: ServerMemory;
  readonly #owner: MemoryOwner;
  #inputSince = 0;
  #isOver = false;

  /** Made by {@linkcode ServerMemory.of}. */
  constructor(server: ServerMemory, owner: MemoryOwner) {
    this.#server = server;
    this.#owner = owner;
  }

  /** What the input that is held has cost since its frame began, in bytes × milliseconds. */
  inputCost(now: number): number {
    return this.inputBytes * (now - this.#inputSince);
  }

  /** Takes bytes for input; as {@linkcode ReadMemory} says. */
  grow(bytes: number, isNeeded: boolean): boolean {
    if (this.#isOver) return false;
    if (this.inputBytes === 0) {
      this.#inputSince = performance.now();
      this.#server.add(this);
    }
    const has = isNeeded ? this.#server.takeInput(bytes, this) : this.#server.tryTakeInput(bytes);
    if (has) this.inputBytes += bytes;
    else this.#forgetIfEmpty();
    return has;
  }

  /** Gives bytes of input back. What is left belongs to a frame that begins here. */
  shrink(bytes: number): void {
    if (this.#isOver) return;
    this.inputBytes -= bytes;
    this.#server.input.give(bytes);
    this.#inputSince = performance.now();
    this.#forgetIfEmpty();
  }

  /** Counts bytes that are to be sent, or were: those come negative. */
  countOutput(bytes: number): void {
    if (this.#isOver) return;
    if (this.outputBytes === 0) this.#server.add(this);
    this.outputBytes += bytes;
    const matters = this.#server.countOutput(bytes);
    if (matters && bytes < 0) this.readAt = performance.now();
    this.#forgetIfEmpty();
  }

  /** Ends the connection; what it holds is on its way back. */
  evict(): void {
    this.close();
    this.#owner.evict();
  }

  /** Gives everything back; nothing counts from here on. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#server.input.give(this.inputBytes);
    this.#server.output.give(this.outputBytes);
    this.inputBytes = this.outputBytes = 0;
    this.#server.delete(this);
  }

  #forgetIfEmpty(): void {
    if (this.inputBytes === 0 && this.outputBytes === 0) this.#server.delete(this);
  }
}
