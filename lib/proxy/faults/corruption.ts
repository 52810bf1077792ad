import { Dice, keyed } from "./seeded.ts";

/** The bytes of a stream are looked at in blocks of this size, so that any part can be asked for. */
const BLOCK_BYTES = 4_096;

/** A byte that is changed: its offset in the stream, and the bits that are turned. */
export interface Corrupted {
  readonly offset: number;
  readonly mask: number;
}

/**
 * Which bytes of a stream from `start` to before `end` are changed, where each is with this
 * probability. It does not depend on how the stream is cut.
 *
 * @param state The draws of one fault on one direction of one connection.
 */
export function* corruptedBytes(
  state: number,
  probability: number,
  start: number,
  end: number,
): Generator<Corrupted> {
  // The gaps between changed bytes are drawn, not the bytes: one draw per block if the fault is rare.
  // 1 - probability would be 1 for the smallest ones.
  const perLog = 1 / Math.log1p(-probability);
  for (let block = Math.floor(start / BLOCK_BYTES); block * BLOCK_BYTES < end; block++) {
    const dice = new Dice(keyed(state, block));
    for (let at = 0;; at++) {
      at += Math.floor(Math.log(1 - dice.next()) * perLog);
      // For the very smallest ones it may be no number: 0 times Infinity.
      if (!(at < BLOCK_BYTES)) break;
      const mask = 1 + dice.below(255);
      const offset = block * BLOCK_BYTES + at;
      if (offset >= end) break;
      if (offset >= start) yield { offset, mask };
    }
  }
}
