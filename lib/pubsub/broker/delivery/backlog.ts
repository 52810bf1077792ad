import type { ByteBuffer } from "../../../frame/mod.ts";
import { type BacklogBudget, LEAST_LEVEL, type SharedBacklog } from "./backlog_budget.ts";
import { type Chunk, ChunkStore, HeldChunks } from "./chunk_store.ts";
import { LeftOut } from "./left_out.ts";
import {
  costOf,
  type FrameList,
  type Piece,
  PIECE_BYTES,
  PieceList,
  REFERENCE_BYTES,
  setBytesOf,
} from "./piece.ts";
import type { Run } from "../routing/run.ts";
import type { Subscription } from "../routing/subscription.ts";

/**
 * The largest piece, as a share of the bytes that may wait. A piece is kept or left out as a whole;
 * one frame alone may be larger.
 */
const PIECE_SHARE = 1 / 8;

/** The sizes of the first chunk and of the largest ones. */
const FIRST_CHUNK_BYTES = 16_384;
const MAX_CHUNK_BYTES = 262_144;

/**
 * Runs that follow each other in memory that is shared become one piece, up to this size: a piece
 * for each of a thousand small publications would take more than their bytes do.
 */
const MERGED_BYTES = 16_384;

/** What is not smaller, and is in memory of its own, stays there. */
const OWN_BYTES = 4_096;

const NO_BYTES = new Uint8Array(0);

/**
 * The queue of a connection that does not keep up: ordered, and bounded. What a policy leaves out
 * is counted in its place in the queue, and the subscriber is told there how much it was.
 */
export class Backlog implements SharedBacklog {
  /** Bytes that wait, with what keeping them costs. */
  bytes = 0;
  /** Bytes of these that must not be left out. */
  keptBytes = 0;
  /** Publications that wait. */
  waiting = 0;
  /** What was left out. */
  readonly leftOut: LeftOut;
  readonly #maxBytes: number;
  readonly #budget: BacklogBudget;
  readonly #onStuck: () => void;
  readonly #store: ChunkStore;
  readonly #shared = new HeldChunks();
  readonly #pieces = new PieceList();
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
    this.#store = new ChunkStore(
      FIRST_CHUNK_BYTES,
      Math.min(MAX_CHUNK_BYTES, Math.max(FIRST_CHUNK_BYTES, maxBytes >>> 3)),
      (held) => budget.count(held),
    );
    this.leftOut = new LeftOut((bytes) => budget.count(bytes));
    budget.add(this);
  }

  /** Publications that were left out so far. */
  get missed(): number {
    return this.leftOut.count;
  }

  /** A chunk stays for as long as any piece in it: few bytes may keep much from being used. */
  get claimedBytes(): number {
    const waiting = Math.max(this.bytes, (this.#store.usedBytes + this.#shared.bytes) / 2);
    return waiting + this.leftOut.bytes;
  }

  /** Whether nothing waits, and the subscriber has been told of all that was left out. */
  get empty(): boolean {
    return this.#pieces.head === undefined && this.leftOut.last === undefined;
  }

  /** Publications that wait or were left out, and that the subscriber has not been told of. */
  get untold(): number {
    let untold = this.waiting + (this.leftOut.last?.count ?? 0);
    for (let piece = this.#pieces.head; piece; piece = piece.after) {
      untold += piece.missed?.count ?? 0;
    }
    return untold;
  }

  /** Adds what must not be left out; the bytes are copied. */
  addControl(bytes: Uint8Array): void {
    this.#appendCopy(bytes, 0, undefined).keptBytes = bytes.length;
    this.keptBytes += bytes.length;
    this.#budget.relieve();
  }

  /** Adds the frames of a list from index `from` on. They must not be left out. */
  addList(list: FrameList, from: number): void {
    const piece = this.#append(NO_BYTES, undefined, 0, 0, undefined, undefined);
    piece.list = list;
    piece.sent = from;
    for (let i = from; i < list.frames.length; i++) piece.keptBytes += list.frames[i]!.length;
    this.keptBytes += piece.keptBytes;
    this.#count(list.frames.length * REFERENCE_BYTES, 0);
    this.#budget.holdList(list.frames);
    this.#budget.relieve();
  }

  /** Leaves out what waits longest, until no more than this many bytes wait. */
  shrinkTo(bytes: number): void {
    this.#store.trim();
    while (this.claimedBytes > bytes) {
      const piece = this.#pieces.oldestDroppable();
      if (piece !== undefined) this.#drop(piece);
      else if (this.bytes + this.leftOut.bytes > Math.max(bytes, LEAST_LEVEL)) {
        return this.#onStuck();
      } else return;
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
      const count = this.#addPiece(run, start, frames[next - 1]!.end, next - first, subscription);
      if (count < 0) return count;
      added += count;
      first = next;
    }
    return added;
  }

  /** As {@linkcode Backlog.addRun}, for frames that are kept or left out together. */
  #addPiece(
    run: Run,
    start: number,
    end: number,
    count: number,
    subscription: Subscription,
  ): number {
    if (!this.#makeRoom(end - start + PIECE_BYTES, subscription)) {
      return this.#turnAway(subscription, count, end - start);
    }
    if (run.isShared) {
      const { chunk, start: at } = run.copyIn(this.#budget.shared);
      const offset = at - run.start;
      this.#appendShared(chunk, start + offset, end + offset, count, subscription);
    } else {
      this.#appendCopy(run.memory.bytes.subarray(start, end), count, subscription);
    }
    return count;
  }

  /** As {@linkcode Backlog.addRun}, for one publication in memory of its own. */
  addFrame(bytes: Uint8Array, subscription: Subscription, topic: string): number {
    const latest = subscription.slow === "latest";
    if (latest) this.#replace(topic);
    if (!this.#makeRoom(bytes.length + PIECE_BYTES, subscription)) {
      return this.#turnAway(subscription, 1, bytes.length);
    }
    // What is newest may stay for long: it has no chunk that stays with it.
    const topicOf = latest ? topic : undefined;
    const isOwn = latest || bytes.length >= OWN_BYTES;
    if (isOwn) this.#append(bytes, undefined, 0, 1, subscription, topicOf);
    else this.#appendCopy(bytes, 1, subscription);
    this.#budget.relieve();
    return 1;
  }

  /** Counts publications that are left out behind all that waits. */
  leaveOut(...publications: Parameters<LeftOut["add"]>): void {
    this.leftOut.add(...publications);
    this.#budget.relieve();
  }

  /**
   * Moves what waits to the end of a buffer, until that holds `limit` bytes or more.
   *
   * @returns How many publications moved.
   */
  moveTo(buffer: ByteBuffer, limit: number): number {
    let moved = 0;
    while (this.#pieces.head !== undefined && buffer.length < limit) {
      const piece = this.#pieces.head;
      if (!this.leftOut.tellBefore(piece, buffer, limit)) return moved;
      if (piece.list) {
        moved += this.#moveFrames(piece, piece.list, buffer, limit);
        if (piece.sent < piece.list.frames.length) break;
      } else {
        buffer.append(piece.memory.subarray(piece.start, piece.end));
        moved += piece.count;
      }
      this.#unlink(piece);
    }
    if (this.#pieces.head === undefined) this.leftOut.tellLast(buffer, limit);
    return moved;
  }

  /** Forgets everything, and takes nothing more. */
  close(): void {
    while (this.#pieces.head) this.#unlink(this.#pieces.head);
    this.leftOut.close();
    this.#store.close();
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
      const size = frame.end - frame.start;
      if (!this.#makeRoom(size + PIECE_BYTES, subscription)) {
        this.leftOut.add(subscription, 1, size);
        continue;
      }
      // Copied below, once it is known which of the run are still there.
      const bytes = run.memory.bytes.subarray(frame.start, frame.end);
      waiting.add(this.#append(bytes, undefined, 0, 1, subscription, topic));
      added++;
    }
    for (const piece of waiting) piece.memory = piece.memory.slice();
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
        const piece = this.#pieces.oldestDroppable();
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

  #drop(piece: Piece): void {
    this.leftOut.drop(piece);
    this.#unlink(piece);
  }

  /** What {@linkcode Backlog.addRun} returns if there is no room for the publications. */
  #turnAway(subscription: Subscription, count: number, bytes: number): number {
    if (subscription.slow === "disconnect") return -1;
    this.leftOut.add(subscription, count, bytes);
    return 0;
  }

  /** Appends a copy in the backlog's own chunks. */
  #appendCopy(bytes: Uint8Array, count: number, subscription: Subscription | undefined): Piece {
    const chunk = this.#store.keep(bytes);
    const start = chunk.used - bytes.length;
    return this.#append(chunk.bytes, chunk, start, count, subscription, undefined, chunk.used);
  }

  /** Appends bytes in a chunk that others have pieces in too. */
  #appendShared(
    chunk: Chunk,
    start: number,
    end: number,
    count: number,
    subscription: Subscription,
  ): void {
    const last = this.#pieces.tail;
    const size = end - start;
    const follows = last?.chunk === chunk && last.end === start &&
      last.subscription === subscription && this.leftOut.last === undefined &&
      end - last.start <= Math.min(MERGED_BYTES, this.#maxBytes * PIECE_SHARE);
    if (follows) {
      last.end = end;
      last.count += count;
      this.waiting += count;
      return this.#count(size, 0);
    }
    this.#append(chunk.bytes, chunk, start, count, subscription, undefined, end);
    this.#shared.hold(chunk);
  }

  #append(
    memory: Uint8Array,
    chunk: Chunk | undefined,
    start: number,
    count: number,
    subscription: Subscription | undefined,
    topic: string | undefined,
    end: number = memory.length,
  ): Piece {
    const piece: Piece = {
      before: this.#pieces.tail,
      after: undefined,
      memory,
      start,
      end,
      chunk,
      list: undefined,
      sent: 0,
      keptBytes: 0,
      count,
      subscription,
      topic,
      setBytes: setBytesOf(subscription, this.#pieces.tail),
      missed: this.leftOut.takeLast(),
    };
    this.#pieces.push(piece);
    this.#count(end - start + PIECE_BYTES + piece.setBytes, costOf(piece));
    this.waiting += count;
    if (topic !== undefined) (this.#latest ??= new Map()).set(topic, piece);
    return piece;
  }

  #unlink(piece: Piece): void {
    const { topic, list, chunk } = piece;
    this.#pieces.remove(piece);
    if (topic !== undefined) this.#latest!.delete(topic);
    if (list) {
      this.#count(-list.frames.length * REFERENCE_BYTES, 0);
      this.#budget.releaseList(list.frames);
      list.release();
    }
    this.#count(piece.start - piece.end - PIECE_BYTES - piece.setBytes, -costOf(piece));
    this.waiting -= piece.count;
    if (chunk) {
      if (chunk.store === this.#store) this.#store.release(chunk);
      else this.#shared.release(chunk);
    }
    this.keptBytes -= piece.keptBytes;
  }

  /** Counts bytes that wait, and what they cost beside chunks, which are counted as such. */
  #count(bytes: number, cost: number): void {
    this.bytes += bytes;
    this.#budget.count(cost);
  }
}
