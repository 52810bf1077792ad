import { releaseMemory } from "../../../../base/large_memory.ts";
import { checksumOf } from "./checksum.ts";
import { RunDecoder, RunFrames } from "./run_frames.ts";
import type { Statements } from "./statements.ts";

/** Consecutive messages of a stream that lie in one row. */
export interface StoredRun {
  /** Names the row; never used again for another. */
  readonly id: number;
  /** The number of its first message. */
  readonly first: number;
  /** How many messages it has, with those that are gone. */
  readonly count: number;
  /** When it was committed, in milliseconds since 1970. */
  readonly time: number;
}

/** What is gone out of the middle of a run. */
export interface GoneMarks {
  /** How many messages. */
  count: number;
  /** The bytes of their frames. */
  bytes: number;
  /** A bit for each message of the run. */
  bits: Uint8Array;
}

type RunRow = readonly [id: number, first: number, count: number, time: number];

type FramesRow = readonly [frames: Uint8Array, ends: Uint8Array | null, crc: number];

const COLUMNS = "SELECT id, first, count, time FROM run WHERE stream = ?";
const AT = `${COLUMNS} AND first <= ? ORDER BY first DESC LIMIT 1`;
const BEHIND = `${COLUMNS} AND first > ? ORDER BY first LIMIT 1`;
const FRAMES = "SELECT frames, ends, crc FROM run WHERE id = ?";
const GONE = "SELECT count, bytes, bits FROM gone WHERE run = ?";

/** Bytes of the frames that stay in memory. */
const MAX_KEPT_BYTES = 2_097_152;

/** Reads the runs of streams over one connection, and keeps some of them in memory. */
export class Runs {
  /** Decodes frames of these runs. */
  readonly decoder: RunDecoder = new RunDecoder();
  readonly #statements: Statements;
  readonly #isForReaders: boolean;
  readonly #kept = new Map<number, RunFrames>();
  #keptBytes = 0;

  /**
   * Over a connection that reads.
   *
   * @param isForReaders Whether frames are only sent to readers. Then their checksum is looked at, as
   * their headers are not; and they are not used any more once those of two other runs were asked
   * for, so that their memory is given back at once.
   */
  constructor(statements: Statements, isForReaders = false) {
    this.#statements = statements;
    this.#isForReaders = isForReaders;
  }

  /** The run that a message lies in, or where there is none the next one; `undefined` at the end. */
  at(stream: number, seq: number): StoredRun | undefined {
    const row = this.#statements.row<RunRow>(AT, stream, seq);
    if (row && row[1] + row[2] > seq) return runOf(row);
    return this.after(stream, seq);
  }

  /** The first run that begins behind a number. */
  after(stream: number, seq: number): StoredRun | undefined {
    const row = this.#statements.row<RunRow>(BEHIND, stream, seq);
    return row && runOf(row);
  }

  /** The number of the first message that was stored at a time or later; `next` if there is none. */
  atTime(stream: number, floor: number, next: number, timeMs: number): number {
    // The times of runs are in order: halve the numbers until one is left.
    let low = floor;
    let high = next;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const run = this.at(stream, middle);
      if (run === undefined || run.first >= high) high = middle;
      else if (run.time >= timeMs) high = Math.min(middle, Math.max(low, run.first));
      else low = run.first + run.count;
    }
    return Math.min(low, next);
  }

  /** The frames of a run. @throws {Error} if they are not as they were written. */
  frames(run: StoredRun): RunFrames {
    const known = this.#kept.get(run.id);
    if (known) {
      this.#kept.delete(run.id);
      this.#kept.set(run.id, known);
      return known;
    }
    const [bytes, ends, crc] = this.#statements.row<FramesRow>(FRAMES, run.id)!;
    if (this.#isForReaders && checksumOf(bytes) !== crc) {
      const which = `messages ${run.first} to ${run.first + run.count - 1}`;
      throw new Error(`${which} are damaged; 'socktool stream verify' tells what is broken`);
    }
    const frames = RunFrames.of(bytes, run.count, ends, this.decoder);
    this.#kept.set(run.id, frames);
    this.#keptBytes += bytes.length;
    for (const [id, { bytes: old }] of this.#kept) {
      // The two that were asked for last are in use.
      if (this.#keptBytes <= MAX_KEPT_BYTES || this.#kept.size <= 2) break;
      this.#kept.delete(id);
      this.#keptBytes -= old.length;
      if (this.#isForReaders) releaseMemory(old);
    }
    return frames;
  }

  /** Forgets the frames in memory: what was written has been taken back. */
  forget(): void {
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  /** What is gone out of a run; `undefined` if nothing is. */
  gone({ id }: StoredRun): GoneMarks | undefined {
    const row = this.#statements.row<[number, number, Uint8Array]>(GONE, id);
    return row && { count: row[0], bytes: row[1], bits: row[2] };
  }
}

/** Whether the message at an index of a run is gone. */
export function isGone(marks: GoneMarks | undefined, index: number): boolean {
  return marks !== undefined && (marks.bits[index >> 3]! & (1 << (index & 7))) !== 0;
}

function runOf([id, first, count, time]: RunRow): StoredRun {
  return { id, first, count, time };
}
