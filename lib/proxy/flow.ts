import { concat } from "@std/bytes";
import type { Address } from "../net/mod.ts";
import type { Direction } from "../net/direction.ts";
import { FaultLine, type LineExit } from "./faults/fault_line.ts";
import type { Mark } from "./faults/shaping.ts";
import type { FaultSet } from "./faults/fault_set.ts";
import type { FlowTurns, Passed } from "./flow_turns.ts";
import type { Side } from "./side.ts";

/** A small read counts for this many bytes: it takes as long. */
const LEAST_BYTES = 1_024;

/** A reset waits at most this long for bytes before it that the receiver does not take. */
const RESET_MS = 1_000;

/** What a {@linkcode Flow} tells of. */
export interface FlowEvents {
  readonly id: number;
  readonly client: Address;
  /** Bytes are about to be written. */
  passing(direction: Direction, bytes: Uint8Array, offset: number): void;
  /** The end of the stream was passed on. */
  ended(direction: Direction): void;
  /** A fault closes the connection, or breaks it off. */
  struck(by: "close" | "reset"): void;
  /** See {@linkcode ProxyObserver.noticed}. */
  noticed(direction: Direction, notice: "no-frames" | "full"): void;
}

/**
 * One direction of a proxied connection: passes bytes, the end of the stream and a reset from one
 * side to the other. While the receiver has no room, nothing is read from the sender. Where faults
 * concern it, a {@linkcode FaultLine} stands in between.
 */
export class Flow implements LineExit {
  readonly direction: Direction;
  /** Bytes that were passed on. */
  passedBytes = 0;
  readonly #from: Side;
  readonly #to: Side;
  readonly #set: FaultSet;
  readonly #events: FlowEvents;
  readonly #turns: FlowTurns;
  #line: FaultLine | undefined;
  #over = false;
  /** Whether the receiver has yet to take bytes that the sender's side has lent. */
  #isLent = false;
  /** Whether the receiver has yet to take what was written, and says so by `drained`. */
  #isFull = false;
  /** Whether no fault holds the sender up. */
  #mayRead = true;
  /** What the sender's side has lent, to be passed when others have had their turn. */
  #held: Uint8Array | undefined;
  #bytesSinceTurn = 0;
  /** How many turns others had had when these were counted. */
  #turnsGiven = 0;
  #resetTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    direction: Direction,
    from: Side,
    to: Side,
    set: FaultSet,
    events: FlowEvents,
    turns: FlowTurns,
  ) {
    this.#turns = turns;
    this.direction = direction;
    this.#from = from;
    this.#to = to;
    this.#set = set;
    this.#events = events;
  }

  /** Looks which faults concern it. */
  look(): void {
    if (this.#over) return;
    const { id, client } = this.#events;
    if (this.#line === undefined) {
      if (this.#set.of(id, client, this.direction).length === 0) return;
      this.#line = new FaultLine(this.#set, id, client, this.direction, this.passedBytes, this);
    }
    this.#line.look();
  }

  /** The sender has sent bytes. @returns whether they were passed; if not, it is resumed when they are. */
  received(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    if (this.#held) {
      // A side may read once more after it was told to stop.
      this.#held = concat([this.#held, bytes]);
      return false;
    }
    if (!this.#isToWait(bytes.length)) return this.#pass(bytes);
    this.#held = bytes;
    this.#turns.wait(this.#goOn);
    return false;
  }

  /** Counts bytes that have come. Whether others are to have their turn before they are passed. */
  #isToWait(count: number): boolean {
    const { given } = this.#turns;
    if (this.#turnsGiven !== given) {
      this.#turnsGiven = given;
      this.#bytesSinceTurn = 0;
    }
    this.#bytesSinceTurn += Math.max(count, LEAST_BYTES);
    if (this.#bytesSinceTurn < this.#turns.shareBytes) return false;
    this.#bytesSinceTurn = 0;
    return this.#turns.isDue;
  }

  /** Others have had their turn. */
  readonly #goOn = () => {
    if (!this.#held) return;
    this.#passHeld();
    if (!this.#over) this.read(this.#mayRead);
  };

  #passHeld(): void {
    const bytes = this.#held;
    this.#held = undefined;
    if (bytes && !this.#over) this.#pass(bytes);
  }

  #pass(bytes: Uint8Array): boolean {
    if (this.#line) {
      // They wait for their time.
      this.#line.received(bytes.slice());
      return true;
    }
    this.#isLent = !this.write(bytes);
    return !this.#isLent;
  }

  /** The sender sends no more. */
  ended(): void {
    this.#passHeld();
    if (this.#over) return;
    if (this.#line) this.#line.ended("end");
    else this.reached("end");
  }

  /** The receiver has room again. */
  drained(): void {
    if (this.#over) return;
    if (this.#isLent) {
      this.#isLent = false;
      this.read(this.#mayRead);
    }
    const line = this.#line;
    const wasFull = this.#isFull;
    this.#isFull = false;
    if (line && wasFull) this.#inTurn(() => line.drained(), line.passed);
    else if (!line && this.#resetTimer !== undefined) this.#reset();
  }

  /** The sender has broken off: so does the receiver's connection, once it has what came before. */
  broken(): void {
    this.#passHeld();
    if (!this.#line && this.#to.pendingBytes === 0) return this.#reset();
    this.#resetTimer = setTimeout(() => this.#late(), RESET_MS);
    this.#line?.ended("broken");
  }

  /** Passes nothing more. */
  stop(): void {
    this.#over = true;
    this.#held = undefined;
    clearTimeout(this.#resetTimer);
    this.#line?.stop();
  }

  get pendingBytes(): number {
    return this.#to.pendingBytes;
  }

  write(bytes: Uint8Array): boolean {
    this.#passing(bytes);
    return !(this.#isFull = !this.#to.write(bytes));
  }

  writeAlone(bytes: Uint8Array): boolean {
    this.#passing(bytes);
    return !(this.#isFull = !this.#to.writeAlone(bytes));
  }

  givesWay(goOn: () => void, passed: Passed): boolean {
    const { isDue } = this.#turns;
    if (isDue) this.#turns.wait(goOn, passed);
    return isDue;
  }

  /**
   * Goes on with what waits because of faults. The runtime may tell that bytes were taken before it looks
   * at anything else: of hundreds of flows each would write again, and nobody else be seen.
   */
  #inTurn(goOn: () => void, passed: Passed): void {
    if (!this.givesWay(goOn, passed)) goOn();
  }

  reached(mark: Mark): void {
    if (mark === "broken") return this.#reset();
    if (mark === "close" || mark === "reset") return this.#events.struck(mark);
    this.#to.end();
    this.#events.ended(this.direction);
  }

  read(isReading: boolean): void {
    this.#mayRead = isReading;
    if (isReading && !this.#isLent && !this.#held) this.#from.resume();
    else this.#from.pause();
  }

  noFrames(): void {
    this.#events.noticed(this.direction, "no-frames");
  }

  full(): void {
    this.#events.noticed(this.direction, "full");
  }

  #passing(bytes: Uint8Array): void {
    this.#events.passing(this.direction, bytes, this.passedBytes);
    this.passedBytes += bytes.length;
  }

  /** What came before the reset is not taken: it is given up, unless a fault holds it back. */
  #late(): void {
    const isHeld = this.#line !== undefined && performance.now() < this.#line.lastDue + RESET_MS;
    if (isHeld) this.#resetTimer = setTimeout(() => this.#late(), RESET_MS);
    else this.#reset();
  }

  #reset(): void {
    this.stop();
    this.#to.reset();
  }
}
