import type { Budget } from "../../base/budget.ts";
import type { ActiveFault } from "./active_fault.ts";

/** Without a rate, at most this much waits for its time; then reading stops. */
const MAX_BYTES = 16_777_216;

/** Where no fault takes time, this waits at most. In all cases one more read of 64 KiB may come on top. */
const SPARE_BYTES = 32_768;

/** The most pieces that wait: a piece of one byte takes far more memory than a byte. */
const MAX_PIECES = 8_192;

/** The same where they wait for no time, or where all connections together have used up their memory. */
const FEW_PIECES = 64;

/** Reads and pieces that wait. */
const MAX_OBJECTS = 65_536;

/** What a read, or a piece of one, takes beside its bytes. */
export const OBJECT_BYTES = 256;

/** Counts what waits in one direction of a connection, and says whether more may come. */
export class WaitingRoom {
  /** Bytes that wait. */
  bytes = 0;
  readonly #budget: Budget;
  /** What is taken of the budget. */
  #takenBytes = 0;
  #objects = 0;
  /** While more bytes than this wait, nothing is read; then until no more than that are left. */
  #most = SPARE_BYTES;
  #resumeAt = SPARE_BYTES / 2;

  /** @param budget That of all connections together. */
  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Says how much may wait, by the faults that concern this direction. */
  limit(faults: readonly ActiveFault[]): void {
    let delayMs = 0;
    let bytesPerMs = Infinity;
    let holds = false;
    for (const { isOn, fault: { action } } of faults) {
      if (!isOn) continue;
      if (action.kind === "delay") delayMs += action.delayMs + action.jitterMs;
      else if (action.kind === "rate") {
        bytesPerMs = Math.min(bytesPerMs, action.bytesPerSecond / 1_000);
      } else if (action.kind === "loss" || action.kind === "stall") holds = true;
    }
    if (bytesPerMs < Infinity) {
      // The bandwidth-delay product: with less room, the rate would not be reached.
      this.#most = this.#resumeAt = Math.ceil(bytesPerMs * delayMs);
      return;
    }
    this.#most = delayMs > 0 || holds ? MAX_BYTES : SPARE_BYTES;
    this.#resumeAt = this.#most / 2;
  }

  /** Takes what waits from the budget, or gives it back. @param objects Reads and pieces that wait. */
  count(objects: number): void {
    this.#objects = objects;
    const more = this.bytes + OBJECT_BYTES * objects - this.#takenBytes;
    this.#takenBytes += more;
    if (more > 0) this.#budget.take(more);
    else this.#budget.give(-more);
  }

  /** Whether more pieces may be made. @param isTimed Whether those that wait do so for their time. */
  mayMakePieces(pieces: number, isTimed: boolean): boolean {
    return pieces < (isTimed && !this.#budget.isOver ? MAX_PIECES : FEW_PIECES);
  }

  /** Whether nothing more is to be read until something of what waits has left. */
  get isFull(): boolean {
    return this.#isOver || this.bytes > this.#most;
  }

  /** Whether the largest bound is reached, or the memory for all used up: the observer is told of it. */
  get isFullForGood(): boolean {
    return this.#isOver || this.bytes > this.#most && this.#most === MAX_BYTES;
  }

  /** Whether reading, once it has stopped, may go on. */
  get mayResume(): boolean {
    return !this.isFull && this.bytes <= this.#resumeAt;
  }

  get #isOver(): boolean {
    return this.#objects > MAX_OBJECTS ||
      this.#budget.isOver && this.#takenBytes > SPARE_BYTES;
  }
}
