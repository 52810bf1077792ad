/** Connections that send streams of frames, good and bad, in all sorts of pieces and endings. */
import type { Random } from "../random.ts";
import { type LooseFrame, writeMutated } from "./mutate.ts";

/** What a connection sends, and how it ends. */
export interface Attack {
  /** Pieces, each written by itself. */
  readonly pieces: readonly Uint8Array[];
  readonly ending: Ending;
  /** How many frames it has, valid or not. */
  readonly frames: number;
  /** The same, if all are valid and whole; else `undefined`. */
  readonly validFrames: number | undefined;
}

/**
 * `half-close`: says that no more comes, and reads to the end. `close`: goes at once. `stay`: reads
 * nothing and stays until the others have ended.
 */
export type Ending = "half-close" | "close" | "stay";

/** What a stream is made of. */
export interface Ingredients {
  /** Makes a valid frame. */
  readonly frame: (random: Random) => LooseFrame;
  /** The largest content that the server takes. */
  readonly maxContentBytes: number;
}

/** Makes what one connection sends. */
export function makeAttack(random: Random, { frame, maxContentBytes }: Ingredients): Attack {
  const mistakes = random.pick([0, 0, 0.1, 0.3, 1]);
  const count = random.pick([1, 2, 5, 30, 400]);
  const parts = Array.from({ length: count }, () => writeMutated(random, frame(random), mistakes));
  let whole = mistakes === 0;
  if (random.chance(0.15)) {
    parts.splice(random.int(0, parts.length), 0, oversized(random, maxContentBytes));
    whole = false;
  }
  let bytes = concat(parts);
  if (random.chance(0.2)) {
    bytes = bytes.subarray(0, random.int(0, bytes.length));
    whole = false;
  }
  return {
    pieces: split(random, bytes),
    frames: parts.length,
    ending: random.pick(["half-close", "half-close", "close", "stay"]),
    validFrames: whole ? count : undefined,
  };
}

/** A frame that is too large: all of it, or a part, or only its claim. */
function oversized(random: Random, maxContentBytes: number): Uint8Array {
  const length = maxContentBytes + random.pick([1, 2, 65_536]);
  const sent = random.pick([0, 1, maxContentBytes, length]);
  const claimed = random.pick([length, length, 2 ** 40, 2 ** 53 - 1]);
  return writeMutated(
    random,
    { fields: { "content-length": claimed, op: "pub", topic: "t" }, content: new Uint8Array(sent) },
    0,
  );
}

function split(random: Random, bytes: Uint8Array): Uint8Array[] {
  const largest = random.pick([1, 3, 100, 5_000, Infinity]);
  // One byte at a time is for short streams: each is a call of the system.
  const atLeast = Math.ceil(bytes.length / 2_000);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = largest === Infinity ? bytes.length : Math.max(atLeast, random.int(1, largest));
    pieces.push(bytes.subarray(at, at += length));
  }
  return pieces;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
