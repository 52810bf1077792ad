import type { ByteBuffer } from "../../../frame/mod.ts";
import type { BacklogBudget, SharedBacklog } from "./backlog_budget.ts";
import { type Chunk, ChunkStore } from "./chunk_store.ts";
import { Missed, type MissedReason } from "./missed.ts";
import type { Run } from "../routing/run.ts";
import type { Subscription } from "../routing/subscription.ts";

/** What a piece costs beside its bytes; it counts, so that memory is bounded with small ones. */
const PIECE_BYTES = 128;

/**
 * The largest piece, as a share of the bytes that may wait. A piece is kept or left out as a whole;
 * one frame alone may be larger.
 */
const PIECE_SHARE = 1 / 8;

/** What a frame costs that is not copied into the backlog. */
const REFERENCE_BYTES = 8;

const NO_BYTES = new Uint8Array(0);

/** Frames that stay in somebody else's memory until there is room for them in the output. */
export interface FrameList {
  /** The frames, which nobody writes to. */
  readonly frames: readonly Uint8Array[];
  /** Is called when keeping them any longer takes too much memory. */
  onOutdated: (() => void) | undefined;
  /** Called when all of them are sent, or dropped. */
  release(): void;
}

/** Bytes that wait, and what was left out right before them. */
interface Piece {
  before: Piece | undefined;
  after: Piece | undefined;
  /** Borrowed memory: a piece never writes to it. */
  bytes: Uint8Array;
  /** The memory that it shares with other pieces. */
  chunk: Chunk | undefined;
  /** Frames that come instead of bytes, and how many of them are sent. */
  list: FrameList | undefined;
  sent: number;
  /** Bytes, its own or of its frames, that must not be left out. */
  keptBytes: number;
  /** How many publications it holds. */
  readonly count: number;
  /** The subscription that is told if it is left out. Without one it must not be left out. */
  readonly subscription: Subscription | undefined;
  /** With the policy `latest`: the topic whose newest publication it is. */
  readonly topic: string | undefined;
  /** What was left out before it. */
  missed: Missed | undefined;
}

/**
 * The queue of a connection that does not keep up: ordered, and bounded. What a policy leaves out
 * is counted in its place in the queue, and the subscriber is told there how much it was.
 */
export class Backlog implements SharedBacklog {
  /** Bytes that wait, with what keeping them costs. */
  bytes = 0;
  /** Bytes of these that must not be left out. */
  keptBytes = 0;
  /** Publications that were left out so far. */
  missed = 0;
  /** Publications that wait. */
  waiting = 0;
  readonly #maxBytes: number;
  readonly #budget: BacklogBudget;
  readonly #onStuck: () => void;
  readonly #store: ChunkStore;
  #head: Piece | undefined;
  #tail: Piece | undefined;
  /** What was left out behind the last piece. */
  #missedLast: Missed | undefined;
  /**
   * Nothing may be left out up to this piece; `undefined` if the search for one begins at the head.
   */
  #oldest: Piece | undefined;
  #latest: Map<string, Piece> | undefined;

  /**
   * @param maxBytes Above it publications are left out.
   * @param budget What it shares with others.
   * @param onStuck Is called when others need room, and nothing here may be left out.
   */
  constructor(maxBytes: number, budget: BacklogBudget, onStuck: () => void) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
    this.#onStuck = onStuck;
    this.#store = new ChunkStore(maxBytes);
    budget.add(this);
  }

  /** Whether nothing waits, and the subscriber has been told of all that was left out. */
  get empty(): boolean {
    return this.#head === undefined && this.#missedLast === undefined;
  }

  /** Publications that wait or were left out, and that the subscriber has not been told of. */
  get untold(): number {
    let untold = this.waiting + (this.#missedLast?.count ?? 0);
    for (let piece = this.#head; piece; piece = piece.after) untold += piece.missed?.count ?? 0;
    return untold;
  }

  /** Adds what must not be left out. The bytes are kept as they are, not copied. */
  addControl(bytes: Uint8Array): void {
    const piece = this.#append(bytes, 0, undefined, undefined);
    piece.keptBytes = bytes.length;
    this.keptBytes += bytes.length;
    this.#budget.relieve();
  }

  /** Adds the frames of a list from index `from` on. They must not be left out. */
  addList(list: FrameList, from: number): void {
    const piece = this.#append(NO_BYTES, 0, undefined, undefined);
    piece.list = list;
    piece.sent = from;
    for (let i = from; i < list.frames.length; i++) piece.keptBytes += list.frames[i]!.length;
    this.keptBytes += piece.keptBytes;
    this.#count(list.frames.length * REFERENCE_BYTES);
    this.#budget.relieve();
  }

  /** Leaves out what waits longest, until no more than this many bytes wait. */
  shrinkTo(bytes: number): void {
    while (this.bytes > bytes) {
      const piece = this.#oldestDroppable();
      if (piece === undefined) return this.#onStuck();
      this.#drop(piece);
    }
  }

  /**
   * Adds a run by the policy of its subscription.
   *
   * @returns How many publications wait; -1 if the connection is to end.
   */
  addRun(run: Run, subscription: Subscription): number {
    const added = subscription.slow === "latest"
      ? this.#addLatest(run, subscription)
      : this.#addPieces(run, subscription);
    this.#budget.relieve();
    return added;
  }

  #addPieces(run: Run, subscription: Subscription): number {
    const { frames, last } = run;
    const maxPieceBytes = this.#maxBytes * PIECE_SHARE;
    let added = 0;
    for (let first = run.first; first < last;) {
      const { start } = frames[first]!;
      let next = first + 1;
      while (next < last && frames[next]!.end - start <= maxPieceBytes) next++;
      const bytes = run.memory.bytes.subarray(start, frames[next - 1]!.end);
      const count = this.#addPiece(bytes, next - first, subscription);
      if (count < 0) return count;
      added += count;
      first = next;
    }
    return added;
  }

  /** As {@linkcode Backlog.addRun}, for frames that are kept or left out together. */
  #addPiece(bytes: Uint8Array, count: number, subscription: Subscription): number {
    if (!this.#makeRoom(bytes.length + PIECE_BYTES, subscription)) {
      return this.#turnAway(subscription, count, bytes.length);
    }
    const chunk = this.#store.keep(bytes);
    const kept = chunk.bytes.subarray(chunk.used - bytes.length, chunk.used);
    this.#append(kept, count, subscription, undefined).chunk = chunk;
    return count;
  }

  /** As {@linkcode Backlog.addRun}, for one publication in memory of its own. */
  addFrame(bytes: Uint8Array, subscription: Subscription, topic: string): number {
    const latest = subscription.slow === "latest";
    if (latest) this.#replace(topic);
    if (!this.#makeRoom(bytes.length + PIECE_BYTES, subscription)) {
      return this.#turnAway(subscription, 1, bytes.length);
    }
    this.#append(bytes, 1, subscription, latest ? topic : undefined);
    this.#budget.relieve();
    return 1;
  }

  /** Counts publications that are left out behind all that waits. */
  leaveOut(
    subscription: Subscription,
    count: number,
    bytes: number,
    reason?: MissedReason,
    atLeast?: boolean,
  ): void {
    this.missed += count;
    (this.#missedLast ??= new Missed()).add(subscription, count, bytes, reason, atLeast);
  }

  /**
   * Moves what waits to the end of a buffer, until that holds `limit` bytes or more.
   *
   * @returns How many publications moved.
   */
  moveTo(buffer: ByteBuffer, limit: number): number {
    let moved = 0;
    while (this.#head !== undefined && buffer.length < limit) {
      const piece = this.#head;
      piece.missed?.writeTo(buffer);
      piece.missed = undefined;
      if (piece.list) {
        moved += this.#moveFrames(piece, piece.list, buffer, limit);
        if (piece.sent < piece.list.frames.length) break;
      } else {
        buffer.append(piece.bytes);
        moved += piece.count;
      }
      this.#unlink(piece);
    }
    if (this.#head === undefined && buffer.length < limit) {
      this.#missedLast?.writeTo(buffer);
      this.#missedLast = undefined;
    }
    return moved;
  }

  /** Forgets everything, and takes nothing more. */
  close(): void {
    for (let piece = this.#head; piece; piece = piece.after) piece.list?.release();
    this.#head =
      this.#tail =
      this.#oldest =
      this.#missedLast =
      this.#latest =
        undefined;
    this.#count(-this.bytes);
    this.keptBytes = this.waiting = 0;
    this.#budget.delete(this);
  }

  /** Moves frames of a list to the end of a buffer, until that holds `limit` bytes or more. */
  #moveFrames(piece: Piece, { frames }: FrameList, buffer: ByteBuffer, limit: number): number {
    const before = piece.sent;
    while (piece.sent < frames.length && buffer.length < limit) {
      const bytes = frames[piece.sent++]!;
      buffer.append(bytes);
      piece.keptBytes -= bytes.length;
      this.keptBytes -= bytes.length;
    }
    return piece.sent - before;
  }

  #addLatest(run: Run, subscription: Subscription): number {
    const waiting = new Set<Piece>();
    let added = 0;
    for (let i = run.first; i < run.last; i++) {
      const frame = run.frames[i]!;
      const topic = frame.header["topic"] as string;
      const replaced = this.#replace(topic);
      if (replaced && waiting.delete(replaced)) added--;
      // Copied below, once it is known which of the run are still there.
      const bytes = run.memory.bytes.subarray(frame.start, frame.end);
      if (!this.#makeRoom(bytes.length + PIECE_BYTES, subscription)) {
        this.leaveOut(subscription, 1, bytes.length);
        continue;
      }
      waiting.add(this.#append(bytes, 1, subscription, topic));
      added++;
    }
    for (const piece of waiting) piece.bytes = piece.bytes.slice();
    return added;
  }

  /** Leaves out what waits of a topic, because something newer came. */
  #replace(topic: string): Piece | undefined {
    const piece = this.#latest?.get(topic);
    if (piece) this.#drop(piece);
    return piece;
  }

  /** Whether there is room for this many bytes, after leaving out what the policy allows. */
  #makeRoom(size: number, { slow }: Subscription): boolean {
    if (slow === "block") return true;
    if (slow === "drop-oldest" || slow === "latest") {
      while (!this.#hasRoom(size)) {
        const piece = this.#oldestDroppable();
        if (piece === undefined) break;
        this.#drop(piece);
      }
    }
    return this.#hasRoom(size);
  }

  // A chunk lives for as long as its longest-lived piece, so memory has a bound of its own.
  #hasRoom(size: number): boolean {
    return this.bytes + size <= this.#maxBytes && this.#store.usedBytes <= 2 * this.#maxBytes;
  }

  #oldestDroppable(): Piece | undefined {
    let piece = this.#oldest ?? this.#head;
    while (piece && !isDroppable(piece)) {
      // Pieces that must stay are looked at once, and skipped from then on.
      this.#oldest = piece;
      piece = piece.after;
    }
    return piece;
  }

  #drop(piece: Piece): void {
    const { subscription, count, bytes, after } = piece;
    const later = after ? after.missed : this.#missedLast;
    const missed = piece.missed ?? later ?? new Missed();
    if (piece.missed && later) missed.addAll(later);
    missed.add(subscription!, count, bytes.length);
    if (after) after.missed = missed;
    else this.#missedLast = missed;
    this.missed += count;
    this.#unlink(piece);
  }

  /** What {@linkcode Backlog.addRun} returns if there is no room for the publications. */
  #turnAway(subscription: Subscription, count: number, bytes: number): number {
    if (subscription.slow === "disconnect") return -1;
    this.leaveOut(subscription, count, bytes);
    return 0;
  }

  #append(
    bytes: Uint8Array,
    count: number,
    subscription: Subscription | undefined,
    topic: string | undefined,
  ): Piece {
    const before = this.#tail;
    const missed = this.#missedLast;
    const piece: Piece = {
      before,
      after: undefined,
      bytes,
      chunk: undefined,
      list: undefined,
      sent: 0,
      keptBytes: 0,
      count,
      subscription,
      topic,
      missed,
    };
    this.#missedLast = undefined;
    if (before) before.after = piece;
    else this.#head = piece;
    this.#tail = piece;
    this.#count(bytes.length + PIECE_BYTES);
    this.waiting += count;
    if (topic !== undefined) (this.#latest ??= new Map()).set(topic, piece);
    return piece;
  }

  #unlink(piece: Piece): void {
    const { before, after, topic } = piece;
    if (before) before.after = after;
    else this.#head = after;
    if (after) after.before = before;
    else this.#tail = before;
    if (this.#oldest === piece) this.#oldest = before;
    if (topic !== undefined) this.#latest!.delete(topic);
    if (piece.list) {
      this.#count(-piece.list.frames.length * REFERENCE_BYTES);
      piece.list.release();
    }
    this.#count(-piece.bytes.length - PIECE_BYTES);
    this.waiting -= piece.count;
    if (piece.chunk) this.#store.release(piece.chunk);
    this.keptBytes -= piece.keptBytes;
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#budget.count(bytes);
  }
}

function isDroppable({ subscription }: Piece): boolean {
  return subscription?.slow === "drop-oldest" || subscription?.slow === "latest";
}
