import { Budget, OverBudgetError } from "../base/budget.ts";
import type { ReadMemory } from "./bytes/read_buffer.ts";

/**
 * The part of the budget that reads may take for memory that only makes them faster, and up to which
 * they read directly into the memory of large frames.
 */
const SPEED_SHARE = 1 / 2;

/** The share of the input's budget for the pending reads of connections that were evicted. */
const LEAVING_SHARE = 1 / 8;

/** When this part of the output's budget is used, the time of each peer's reads is noted. */
const WATCHED_SHARE = 1 / 2;

/** A peer that has read nothing for this long counts as not reading. */
const STALLED_MS = 1_000;

/** The owner of memory: a connection. */
export interface MemoryOwner {
  /** Called when the connection has to end because others need its memory. */
  evict(): void;
}

/** A connection that keeps what came until somebody can read it, and counts that as input. */
export interface KeepingConn {
  /** Counts what it keeps in the memory of the server's connection that reads it. */
  countIn(memory: ConnectionMemory): void;
}

/**
 * The memory that all connections of a server hold together: bytes of incomplete frames, and bytes
 * that wait to be sent. When an incomplete frame needs memory and there is none left, the
 * connection is ended that has used the most, in bytes × time. So a large frame that arrives
 * quickly costs little, and one that stalls or trickles in costs more and more. When too much waits
 * to be sent, connections of peers that do not read are ended.
 */
export class ServerMemory {
  /** For bytes that were received and are not handled. */
  readonly input: Budget;
  /** For bytes that wait to be sent. */
  readonly output: Budget;
  /** For the pending reads of connections that were evicted and still tell their peers so. */
  readonly leaving: Budget;
  readonly #owners = new Set<ConnectionMemory>();
  #relieving = false;

  /** Both limits are in bytes. */
  constructor(maxInputBytes: number, maxOutputBytes: number) {
    this.input = new Budget("unfinished frames", maxInputBytes);
    this.output = new Budget("unread output", maxOutputBytes);
    this.leaving = new Budget("connections that end", maxInputBytes * LEAVING_SHARE);
  }

  /** Makes the account of a connection. */
  of(owner: MemoryOwner): ConnectionMemory {
    return new ConnectionMemory(this, owner);
  }

  /** Takes bytes for input that a connection needs to continue; ends others for them if it must. */
  takeInput(bytes: number, asking: ConnectionMemory): boolean {
    while (!this.input.tryTake(bytes)) {
      const costliest = this.#costliestInput(asking);
      if (costliest === asking) return false;
      costliest.evict();
    }
    return true;
  }

  /** Takes bytes for input that only make reads faster. */
  tryTakeInput(bytes: number): boolean {
    return !this.isInputTight(bytes) && this.input.tryTake(bytes);
  }

  /** Whether little room for input is left, or would be if `moreBytes` more were kept. */
  isInputTight(moreBytes = 0): boolean {
    const { usedBytes, maxBytes } = this.input;
    return usedBytes + moreBytes > maxBytes * SPEED_SHARE;
  }

  /** Counts output. @returns Whether the time of the peer's reads should be noted. */
  countOutput(bytes: number): boolean {
    const { output } = this;
    output.take(bytes);
    if (output.isOver && !this.#relieving) {
      // Later: the sender is in the middle of its work.
      this.#relieving = true;
      queueMicrotask(() => this.#relieve());
    }
    return output.usedBytes > output.maxBytes * WATCHED_SHARE;
  }

  /** Called by a connection's memory when it begins to hold something. */
  add(memory: ConnectionMemory): void {
    this.#owners.add(memory);
  }

  /** Called by a connection's memory when it no longer holds anything. */
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

  /** Among the peers that do not read, or else among all, the one for whom the most bytes wait. */
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
  /** Bytes for input, without the first KiB. */
  inputBytes = 0;
  /** Bytes that wait to be sent. */
  outputBytes = 0;
  /**
   * When the peer last read something, in milliseconds of `performance.now()`, if that is noted.
   */
  readAt = 0;
  readonly #server: ServerMemory;
  readonly #owner: MemoryOwner;
  #inputSince = 0;
  #leavingBytes = 0;
  #isOver = false;

  /** Made by {@linkcode ServerMemory.of}. */
  constructor(server: ServerMemory, owner: MemoryOwner) {
    this.#server = server;
    this.#owner = owner;
  }

  /** Whether it was closed: nothing is counted any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether little room is left; see {@linkcode ReadMemory}. */
  get isTight(): boolean {
    return this.#server.isInputTight();
  }

  /** What the input has cost since its frame began, in bytes × milliseconds. */
  inputCost(now: number): number {
    return this.inputBytes * (now - this.#inputSince);
  }

  /** Takes bytes for input that is needed; see {@linkcode ReadMemory}. */
  need(bytes: number): void {
    if (bytes === 0 || this.grow(bytes, true)) return;
    throw new OverBudgetError(`There is no memory for ${bytes} bytes more of a frame`);
  }

  /**
   * Takes bytes for input; see {@linkcode ReadMemory}.
   *
   * @param isNeeded Whether nothing more can be read without them. @default {false}
   */
  grow(bytes: number, isNeeded = false): boolean {
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

  /** Gives bytes of input back. The rest counts for a frame that begins now. */
  shrink(bytes: number): void {
    if (this.#isOver) return;
    this.inputBytes -= bytes;
    this.#server.input.give(bytes);
    this.#inputSince = performance.now();
    this.#forgetIfEmpty();
  }

  /** Whether this many more bytes may wait to be sent. */
  hasOutputRoom(bytes: number): boolean {
    return this.#isOver || this.#server.output.refusing(bytes) === undefined;
  }

  /** Counts bytes that wait to be sent; negative when they were sent. */
  countOutput(bytes: number): void {
    if (this.#isOver) return;
    if (this.outputBytes === 0) this.#server.add(this);
    this.outputBytes += bytes;
    const matters = this.#server.countOutput(bytes);
    if (matters && bytes < 0) this.readAt = performance.now();
    this.#forgetIfEmpty();
  }

  /** Gives everything back and ends the connection. */
  evict(): void {
    this.close();
    this.#owner.evict();
  }

  /**
   * Whether an evicted connection may take its time to tell its peer, instead of being closed at once.
   * The memory of its pending read counts until it is {@linkcode ConnectionMemory.close closed}. While
   * no other evicted connection does so, it always may.
   *
   * @param bytes The size of that memory.
   */
  mayLeaveSlowly(bytes: number): boolean {
    const { leaving } = this.#server;
    if (leaving.usedBytes > 0 && leaving.refusing(bytes)) return false;
    leaving.take(bytes);
    this.#leavingBytes += bytes;
    return true;
  }

  /** Gives everything back; nothing is counted after that. */
  close(): void {
    this.#server.leaving.give(this.#leavingBytes);
    this.#leavingBytes = 0;
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
