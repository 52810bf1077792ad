import type { Budget } from "../../base/budget.ts";
import { makeMemory } from "../../base/large_memory.ts";
import { type Frame, FrameDecoder } from "../../frame/mod.ts";
import type { ActiveFault, FrameInfo } from "./active_fault.ts";
import { OBJECT_BYTES } from "./waiting_room.ts";

/** A frame that is to be kept, to be sent again or later, has at most this many bytes. */
const MAX_KEPT_BYTES = 16_777_216;
/** Such a frame was read in at most this many parts: each takes memory beside its bytes. */
const MAX_KEPT_PARTS = 65_536;

/** A frame that is to change places with the next one waits for it at most this long. */
const REORDER_MS = 1_000;

/** A header is whole after this time, or the bytes are taken for no frames: somebody may wait for them. */
const HOLD_MS = 1_000;

/** What a {@linkcode FrameStage} tells of. */
export interface FrameStageEvents {
  /** These bytes are next; they belong to this frame, or to none. */
  next(bytes: Uint8Array, frame: FrameInfo | undefined): void;
  /** A fault did something to the frame that begins at this offset. */
  fired(active: ActiveFault, offset: number): void;
  /** What was held back has waited long enough, and was passed. */
  released(): void;
  /** The bytes are no frames. */
  noFrames(): void;
}

/**
 * Finds the frames in a stream, so that faults can be about some of them, and leaves them out, repeats
 * them or exchanges them. A frame's content is passed as it arrives; only its header has to be there.
 * What is no frame, and all behind it, is passed as it is.
 */
export class FrameStage {
  readonly #events: FrameStageEvents;
  readonly #budget: Budget;
  readonly #decoder = new FrameDecoder({ maxContentBytes: Infinity, streamAbove: 0 });
  /** Bytes of a header that is not whole. */
  #held = new Uint8Array(0);
  #offset: number;
  #number = 0;
  #frame: FrameInfo | undefined;
  #treatment: Treatment = "pass";
  #fault: ActiveFault | undefined;
  #frameOffset = 0;
  /** The current frame, if it is kept. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  /** A frame that waits for the next one to go before it. */
  #waiting: Waiting | undefined;
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the current frame has begun and is not complete. */
  #isInside = false;
  #isRaw = false;

  /**
   * @param offset How many bytes of the stream came before.
   * @param budget What is kept is taken from it.
   */
  constructor(offset: number, budget: Budget, events: FrameStageEvents) {
    this.#offset = offset;
    this.#budget = budget;
    this.#events = events;
  }

  /** The next bytes. @param faults Those that act on whole frames, and may concern this stream. */
  push(bytes: Uint8Array, faults: readonly ActiveFault[]): void {
    if (this.#isRaw) return this.#events.next(bytes, undefined);
    const buffer = this.#held.length === 0 ? bytes : joined(this.#held, bytes);
    const { frames, consumed, error } = this.#decoder.decode(buffer);
    for (const frame of frames) this.#part(frame, faults);
    const rest = buffer.subarray(consumed);
    if (error || !mayBeHeader(rest)) return this.#giveUp(rest);
    this.#held = rest.slice();
    if (consumed > 0 || rest.length === 0) this.#stopHolding();
    if (rest.length > 0) this.#holdTimer ??= setTimeout(() => this.#heldTooLong(), HOLD_MS);
  }

  /** The stream is over: passes what is held back. */
  end(): void {
    this.#release();
    if (this.#treatment === "keep") this.#pass(this.#parts);
    if (this.#held.length > 0) this.#events.next(this.#held, undefined);
    this.stop();
  }

  /** Passes nothing more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopHolding();
    if (this.#waiting) this.#giveBack(this.#waiting.parts);
    this.#waiting = undefined;
    this.#giveBack(this.#parts);
    this.#forget();
    this.#held = new Uint8Array(0);
  }

  #stopHolding(): void {
    clearTimeout(this.#holdTimer);
    this.#holdTimer = undefined;
  }

  #heldTooLong(): void {
    this.#giveUp(this.#held);
    this.#events.released();
  }

  #giveUp(rest: Uint8Array): void {
    this.#isRaw = true;
    this.#stopHolding();
    this.#held = new Uint8Array(0);
    this.#release();
    this.#events.noFrames();
    if (rest.length > 0) this.#events.next(rest, undefined);
  }

  /** A frame, or the next part of one. */
  #part(frame: Frame, faults: readonly ActiveFault[]): void {
    const { bytes } = frame;
    if (!this.#isInside) this.#begin(frame, faults);
    this.#isInside = !frame.complete;
    this.#offset += bytes.length;
    switch (this.#treatment) {
      case "drop":
        break;
      case "repeat":
        this.#keep(bytes);
        this.#events.next(bytes, this.#frame);
        break;
      case "keep":
        this.#keep(bytes);
        break;
      case "pass":
        this.#events.next(bytes, this.#frame);
    }
    if (frame.complete) this.#complete();
  }

  #begin(frame: Frame, faults: readonly ActiveFault[]): void {
    this.#frame = { header: frame.header, number: ++this.#number };
    this.#frameOffset = this.#offset;
    this.#fault = faults.find((active) => active.isOn && active.concernsFrame(this.#frame));
    // A frame that waits lets one go before it, not several.
    const kind = this.#fault?.fault.action.kind;
    this.#treatment = kind === "drop"
      ? "drop"
      : kind === "duplicate"
      ? "repeat"
      : kind === "reorder" && this.#waiting === undefined
      ? "keep"
      : "pass";
    if (kind === "drop") this.#events.fired(this.#fault!, this.#frameOffset);
  }

  /** Keeps bytes of the current frame, unless there are too many: then it is only passed. */
  #keep(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
    this.#budget.take(bytes.length + OBJECT_BYTES);
    const isTooMuch = this.#partBytes > MAX_KEPT_BYTES || this.#parts.length > MAX_KEPT_PARTS;
    if (!isTooMuch && !this.#budget.isOver) return;
    if (this.#treatment === "keep") this.#pass(this.#parts);
    this.#giveBack(this.#parts);
    this.#forget();
    this.#treatment = "pass";
  }

  #complete(): void {
    const treatment = this.#treatment;
    this.#treatment = "pass";
    if (treatment === "keep") {
      this.#waiting = {
        parts: this.#parts,
        frame: this.#frame!,
        fault: this.#fault!,
        offset: this.#frameOffset,
      };
      this.#forget();
      this.#timer = setTimeout(() => {
        this.#release();
        this.#events.released();
      }, REORDER_MS);
      return;
    }
    if (treatment === "repeat") {
      this.#events.fired(this.#fault!, this.#frameOffset);
      this.#pass(this.#parts);
      this.#giveBack(this.#parts);
      this.#forget();
    }
    if (this.#waiting && treatment !== "drop") {
      this.#events.fired(this.#waiting.fault, this.#waiting.offset);
      this.#release();
    }
  }

  /** Passes the frame that waits for another. */
  #release(): void {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    for (const part of waiting.parts) this.#events.next(part, waiting.frame);
    this.#giveBack(waiting.parts);
  }

  #pass(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#events.next(part, this.#frame);
  }

  /** They are kept no longer. */
  #giveBack(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#budget.give(part.length + OBJECT_BYTES);
  }

  #forget(): void {
    this.#parts = [];
    this.#partBytes = 0;
  }
}

/** A frame that is to change places with the next. */
interface Waiting {
  readonly parts: readonly Uint8Array[];
  readonly frame: FrameInfo;
  readonly fault: ActiveFault;
  readonly offset: number;
}

/** What is done with a frame. */
type Treatment = "pass" | "drop" | "repeat" | "keep";

/** Whether bytes may be the beginning of a frame: behind its length stands a JSON object. */
function mayBeHeader(bytes: Uint8Array): boolean {
  const first = bytes.subarray(2).find((byte) => !WHITE_SPACE.has(byte));
  return first === undefined || first === OPENING_BRACE;
}

const OPENING_BRACE = 0x7b;
const WHITE_SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = makeMemory(one.length + other.length);
  all.set(one);
  all.set(other, one.length);
  return all;
}
