import type { Subscription } from "../routing/subscription.ts";
import type { Chunk } from "./chunk_store.ts";
import type { Missed } from "./missed.ts";

/** What a piece costs beside its bytes; it counts, so that memory is bounded with small ones. */
export const PIECE_BYTES = 128;

/** What a frame costs that is not copied into the backlog. */
export const REFERENCE_BYTES = 8;

/** What an array of its own costs beside its bytes, as half a million of them showed. */
const ARRAY_BYTES = 500;

/** What a set of filters takes that match the same topics, and what each of them does. */
const SET_BYTES = 200;
const PLACE_BYTES = 16;

/** Frames that stay in somebody else's memory until there is room for them in the output. */
export interface FrameList {
  /** The frames, which nobody writes to. */
  readonly frames: readonly Uint8Array[];
  /** Is called when keeping them any longer takes too much memory. */
  onOutdated: (() => void) | undefined;
  /** Called when all of them are sent, or dropped. */
  release(): void;
}

/** Bytes that wait, and what was left out right before them. It takes {@linkcode PIECE_BYTES}. */
export interface Piece {
  before: Piece | undefined;
  after: Piece | undefined;
  /** Its bytes are `memory[start, end)`; a piece never writes to them. */
  memory: Uint8Array;
  readonly start: number;
  end: number;
  /** The chunk that the memory belongs to; `undefined` if it is the piece's own. */
  readonly chunk: Chunk | undefined;
  /** Frames that come instead of bytes, and how many of them are sent. */
  list: FrameList | undefined;
  sent: number;
  /** Bytes, its own or of its frames, that must not be left out. */
  keptBytes: number;
  /** How many publications it holds. */
  count: number;
  /** The subscription that is told if it is left out. Without one it must not be left out. */
  readonly subscription: Subscription | undefined;
  /** With the policy `latest`: the topic whose newest publication it is. */
  readonly topic: string | undefined;
  /** Memory of the set of filters that its subscription stands for; 0 if counted with the last piece. */
  readonly setBytes: number;
  /** What was left out before it. */
  missed: Missed | undefined;
}

/** What a piece costs, without a chunk that it is in. */
export function costOf({ chunk, start, end, setBytes }: Piece): number {
  const cost = PIECE_BYTES + setBytes;
  return chunk ? cost : end - start + ARRAY_BYTES + cost;
}

/**
 * The `setBytes` of a piece. Each subscription of a client makes new sets of those of its filters that
 * match the same topics, and a piece keeps the set that it came for.
 */
export function setBytesOf(
  subscription: Subscription | undefined,
  before: Piece | undefined,
): number {
  const { overlapping } = subscription ?? {};
  if (overlapping === undefined || before?.subscription === subscription) return 0;
  return SET_BYTES + PLACE_BYTES * overlapping.length;
}

/** Whether it is left out when there is no room for newer ones. */
export function isDroppable({ subscription }: Piece): boolean {
  return subscription?.slow === "drop-oldest" || subscription?.slow === "latest";
}

/** The pieces of a backlog, in the order in which they are sent. */
export class PieceList {
  /** The first and the last one. */
  head: Piece | undefined;
  tail: Piece | undefined;
  /**
   * Nothing may be left out up to this piece; `undefined` if the search for one begins at the head.
   */
  #oldest: Piece | undefined;

  /** Adds a piece that was made to follow the last one. */
  push(piece: Piece): void {
    if (piece.before) piece.before.after = piece;
    else this.head = piece;
    this.tail = piece;
  }

  /** Takes a piece out. */
  remove(piece: Piece): void {
    const { before, after } = piece;
    if (before) before.after = after;
    else this.head = after;
    if (after) after.before = before;
    else this.tail = before;
    if (this.#oldest === piece) this.#oldest = before;
  }

  /** The first piece that may be left out for newer ones. */
  oldestDroppable(): Piece | undefined {
    let piece = this.#oldest ?? this.head;
    while (piece && !isDroppable(piece)) {
      // Pieces that must stay are looked at once, and skipped from then on.
      this.#oldest = piece;
      piece = piece.after;
    }
    return piece;
  }
}
