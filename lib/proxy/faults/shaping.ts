import type { Direction } from "../../net/direction.ts";
import type { Acting, ActingFault } from "./acting.ts";
import type { ActiveFault } from "./active_fault.ts";
import { corruptedBytes } from "./corruption.ts";
import type { FaultSet } from "./fault_set.ts";
import { lossMs, SEGMENT_BYTES } from "./loss.ts";
import { Pacer } from "./pacer.ts";
import { drawAt, DRAWS } from "./seeded.ts";

/** What ends a direction, and stands in the queue like bytes do. */
export type Mark = "end" | "broken" | "close" | "half-close" | "reset";

/** A piece of a stream that waits for its time, or a mark. */
export interface Piece {
  /** The bytes, if it is no mark. */
  readonly bytes: Uint8Array | undefined;
  readonly mark: Mark | undefined;
  /** Whether it is to be written by itself. */
  readonly alone: boolean;
  /** When all of it may have left, in milliseconds. */
  dueAt: number;
  /** When all that is before it may have left, and a segment that is lost was sent again. */
  readonly heldUntil: number;
  /** With a rate: when its first byte may leave, and how many follow in a millisecond; else 0. */
  readonly beginsAt: number;
  readonly bytesPerMs: number;
  /** Bytes of it that have left; or for a reset, when it was first tried. */
  left: number;
}

/** After this pause, bytes are of another packet than those before, for what is drawn for each one. */
const PACKET_PAUSE_MS = 5;

/** Bytes without a rate. */
const UNPACED = { beginsAt: 0, bytesPerMs: 0 };

/** A mark that waits for its time. */
export function markAt(mark: Mark, dueAt: number): Piece {
  return { bytes: undefined, mark, alone: false, dueAt, heldUntil: 0, ...UNPACED, left: 0 };
}

/**
 * What faults do to the bytes of one direction of a connection, in this order: corrupt, slice, rate,
 * delay and loss. It knows the offset of each byte, and all chance follows from it.
 */
export class Shaping {
  /** How many bytes have been shaped: the offset of the next. */
  offset: number;
  readonly #set: FaultSet;
  readonly #connection: number;
  readonly #direction: Direction;
  readonly #pacers = new Map<ActiveFault, Pacer>();
  /** Faults that last, and were told to have begun. */
  readonly #told = new Set<ActiveFault>();
  /** Where the current slice ends, and when the next may leave. */
  #sliceEnd = 0;
  #sliceAt = -Infinity;
  #lastDue = -Infinity;
  /** The packet that the last bytes were of: where it began, and where it ends at the latest. */
  #packetStart = 0;
  #packetEnd = 0;
  #lastAt = -Infinity;

  constructor(set: FaultSet, connection: number, direction: Direction, offset: number) {
    this.#set = set;
    this.#connection = connection;
    this.#direction = direction;
    this.offset = offset;
  }

  /** When what was shaped so far may have left. */
  get lastDue(): number {
    return this.#lastDue;
  }

  /** Lets nothing leave for a while. */
  hold(ms: number, now: number): void {
    this.#lastDue = Math.max(this.#lastDue, now) + ms;
  }

  /** When something without bytes may leave that came at this time. */
  dueOf({ delayMs }: Acting, at: number): number {
    return this.#lastDue = Math.max(this.#lastDue, at + delayMs);
  }

  /**
   * Takes the next bytes, or the first of them: as many as stay together.
   *
   * @param at When they arrived.
   */
  next(bytes: Uint8Array, acting: Acting, at: number, now: number): Piece {
    const { offset } = this;
    const { slicing } = acting;
    let length = bytes.length;
    if (slicing) length = Math.min(length, this.#sliceLength(slicing));
    length = Math.min(length, this.#segmentLength(acting, length));
    const piece = this.#corrupt(length < bytes.length ? bytes.subarray(0, length) : bytes, acting);
    let readyAt = at;
    if (slicing && slicing.action.everyMs > 0) {
      readyAt = Math.max(at, this.#sliceAt);
      if (offset + length >= this.#sliceEnd) this.#sliceAt = readyAt + slicing.action.everyMs;
    }
    const { beginsAt, bytesPerMs } = acting.pacing.length > 0
      ? this.#pace(length, acting, Math.max(readyAt, now))
      : UNPACED;
    const delayMs = this.#delayMs(acting, at);
    for (const active of acting.lasting) this.#tell(active);
    const lostMs = offset % SEGMENT_BYTES === 0
      ? this.#lossMs(acting, offset / SEGMENT_BYTES, true)
      : 0;
    if (lostMs > 0) {
      const sentAgainAt = Math.max(readyAt, beginsAt) + lostMs;
      this.#lastDue = Math.max(this.#lastDue, sentAgainAt + delayMs);
    }
    const heldUntil = this.#lastDue;
    const paced = bytesPerMs === 0 ? readyAt : beginsAt + length / bytesPerMs;
    this.offset += length;
    this.#lastDue = Math.max(this.#lastDue, paced + delayMs);
    return {
      bytes: piece,
      mark: undefined,
      alone: slicing !== undefined,
      dueAt: this.#lastDue,
      heldUntil,
      beginsAt: beginsAt + delayMs,
      bytesPerMs,
      left: 0,
    };
  }

  #corrupt(bytes: Uint8Array, { corrupting }: Acting): Uint8Array {
    let changed: Uint8Array | undefined;
    for (const { active, action } of corrupting) {
      const { offset } = this;
      const draws = this.#draws(active, DRAWS.corrupt);
      const found = corruptedBytes(draws, action.probability, offset, offset + bytes.length);
      for (const { offset: place, mask } of found) {
        changed ??= bytes.slice();
        changed[place - offset]! ^= mask;
        this.#fired(active, place);
      }
    }
    return changed ?? bytes;
  }

  #sliceLength({ active, action: { leastBytes, mostBytes } }: ActingFault<"slice">): number {
    if (this.#sliceEnd <= this.offset) {
      const draw = drawAt(this.#draws(active, DRAWS.slice), this.offset);
      this.#sliceEnd = this.offset + leastBytes + Math.floor(draw * (mostBytes - leastBytes + 1));
    }
    return this.#sliceEnd - this.offset;
  }

  /** How many bytes have the same delay: to the end of a segment, or to the next one that is lost. */
  #segmentLength(acting: Acting, most: number): number {
    const { jitters, losing } = acting;
    if (!jitters && losing.length === 0) return most;
    let segment = Math.floor(this.offset / SEGMENT_BYTES) + 1;
    const end = this.offset + most;
    while (segment * SEGMENT_BYTES < end && !jitters && this.#lossMs(acting, segment) === 0) {
      segment++;
    }
    return segment * SEGMENT_BYTES - this.offset;
  }

  #lossMs({ losing }: Acting, segment: number, tell = false): number {
    let total = 0;
    for (const { active, action } of losing) {
      const ms = lossMs(this.#draws(active, DRAWS.loss), action.probability, segment);
      if (ms > 0 && tell) this.#fired(active, segment * SEGMENT_BYTES);
      total += ms;
    }
    return total;
  }

  /** How much longer the next bytes take, that arrived at this time. */
  #delayMs(acting: Acting, at: number): number {
    let total = acting.delayMs;
    if (acting.jitters) {
      const place = this.#packetOf(at);
      for (const { active, action: { jitterMs } } of acting.delaying) {
        if (jitterMs === 0) continue;
        total += (2 * drawAt(this.#draws(active, DRAWS.jitter), place) - 1) * jitterMs;
      }
    }
    return total;
  }

  /**
   * Where the packet of the next bytes begins: at the beginning of a segment, or where bytes come after
   * a pause. However a read cuts what comes together, it is the same.
   */
  #packetOf(at: number): number {
    const { offset } = this;
    if (offset >= this.#packetEnd || at - this.#lastAt >= PACKET_PAUSE_MS) {
      this.#packetStart = offset;
      this.#packetEnd = (Math.floor(offset / SEGMENT_BYTES) + 1) * SEGMENT_BYTES;
    }
    this.#lastAt = at;
    return this.#packetStart;
  }

  /** Where several rates hold, the one that takes longest counts. */
  #pace(
    bytes: number,
    { pacing }: Acting,
    now: number,
  ): { beginsAt: number; bytesPerMs: number } {
    let slowest = { beginsAt: now, bytesPerMs: 0 };
    let latest = -Infinity;
    for (const { active, action } of pacing) {
      const pacer = this.#pacerOf(active, action);
      const beginsAt = pacer.reserve(bytes, now);
      const endsAt = beginsAt + bytes / pacer.bytesPerMs;
      if (endsAt <= latest) continue;
      latest = endsAt;
      slowest = { beginsAt, bytesPerMs: pacer.bytesPerMs };
    }
    return slowest;
  }

  #pacerOf(active: ActiveFault, { shared, bytesPerSecond }: ActingFault<"rate">["action"]): Pacer {
    if (shared) return active.sharedPacer(this.#direction, bytesPerSecond);
    let pacer = this.#pacers.get(active);
    if (!pacer) this.#pacers.set(active, pacer = new Pacer(bytesPerSecond));
    return pacer;
  }

  #draws(active: ActiveFault, draw: number): number {
    return this.#set.drawsOf(active, draw, this.#connection, this.#direction);
  }

  /** A fault that lasts is told once for each direction of a connection. */
  #tell(active: ActiveFault): void {
    if (this.#told.has(active)) return;
    this.#told.add(active);
    this.#fired(active, this.offset);
  }

  #fired(active: ActiveFault, offset: number): void {
    this.#set.fired(active, this.#connection, this.#direction, offset);
  }
}
