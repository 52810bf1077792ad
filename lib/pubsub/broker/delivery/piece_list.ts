import { isDroppable, type Piece } from "./piece.ts";

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
