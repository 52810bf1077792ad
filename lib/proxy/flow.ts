import type { Direction } from "./direction.ts";
import type { Side } from "./side.ts";

/** A reset waits at most this long for bytes before it that the receiver has not taken. */
const RESET_MS = 1_000;

/** What a {@linkcode Flow} tells of. */
export interface FlowEvents {
  /** Bytes are about to be written. */
  passing(direction: Direction, bytes: Uint8Array, offset: number): void;
  /** The end of the stream was passed on. */
  ended(direction: Direction): void;
}

/**
 * One direction of a proxied connection: passes bytes, the end of the stream and a reset from one
 * side to the other. While the receiver has no room, nothing is read from the sender.
 */
export class Flow {
  readonly direction: Direction;
  /** Bytes that were passed on. */
  passedBytes = 0;
  readonly #from: Side;
  readonly #to: Side;
  readonly #events: FlowEvents;
  #over = false;
  #resetTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(direction: Direction, from: Side, to: Side, events: FlowEvents) {
    this.direction = direction;
    this.#from = from;
    this.#to = to;
    this.#events = events;
  }

  /** The sender has sent bytes. */
  received(bytes: Uint8Array): void {
    if (!this.#over && !this.#pass(bytes)) this.#from.pause();
  }

  /** The sender sends no more. */
  ended(): void {
    if (this.#over) return;
    this.#over = true;
    this.#to.end();
    this.#events.ended(this.direction);
  }

  /** The receiver has room again. */
  drained(): void {
    if (this.#resetTimer !== undefined) this.#reset();
    else if (!this.#over) this.#from.resume();
  }

  /** The sender has broken off: so does the receiver's connection, once it has what came before. */
  broken(): void {
    this.#over = true;
    if (this.#to.pendingBytes === 0) this.#reset();
    else this.#resetTimer ??= setTimeout(() => this.#reset(), RESET_MS);
  }

  /** Passes nothing more. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#resetTimer);
    this.#resetTimer = undefined;
  }

  #pass(bytes: Uint8Array): boolean {
    this.#events.passing(this.direction, bytes, this.passedBytes);
    this.passedBytes += bytes.length;
    return this.#to.write(bytes);
  }

  #reset(): void {
    this.stop();
    this.#to.reset();
  }
}
