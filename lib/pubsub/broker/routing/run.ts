import type { Frame } from "../../../frame/mod.ts";
import { SharedMemory } from "../../../net/bytes/shared_memory.ts";
import type { Chunk, ChunkStore } from "../delivery/chunk_store.ts";

const NOTHING = new SharedMemory(new Uint8Array(0));

/** Where a copy of a run begins in a chunk. */
export interface RunCopy {
  readonly chunk: Chunk;
  readonly start: number;
}

/**
 * Consecutive frames of one publisher that have the same route: they are forwarded as one slice of
 * the publisher's read buffer. A broker has one run and uses it over and over, so that forwarding
 * allocates nothing.
 */
export class Run {
  /** The publisher's read buffer: overwritten once the run is dealt with, unless it is borrowed. */
  memory: SharedMemory = NOTHING;
  /** The batch of frames that the run is cut from: it is `frames[first, last)`. */
  frames: readonly Frame[] = [];
  /** Where the run begins in the batch. */
  first = 0;
  /** Where it ends in the batch. */
  last = 0;
  /** Where it begins in the buffer. */
  start = 0;
  /** Where it ends in the buffer. */
  end = 0;
  /** The bytes, in place. */
  view: Uint8Array = this.memory.bytes;
  /** Whether it goes to so many that those of them who are behind share one copy of it. */
  isShared = false;
  /** That copy, once somebody needs it. */
  #copy: RunCopy | undefined;

  /** The copy that receivers share. Who keeps bytes of it has to hold the chunk for itself. */
  copyIn(store: ChunkStore): RunCopy {
    if (this.#copy) return this.#copy;
    const chunk = store.keep(this.view);
    return this.#copy = { chunk, start: chunk.used - this.view.length };
  }

  /** Lets go of the memory. */
  clear(): void {
    this.#copy?.chunk.store.release(this.#copy.chunk);
    this.#copy = undefined;
    this.isShared = false;
    this.memory = NOTHING;
    this.view = NOTHING.bytes;
    this.frames = [];
  }

  /** Makes it stand for `frames[first, last)`, which lie one behind the other in the memory. */
  set(memory: SharedMemory, frames: readonly Frame[], first: number, last: number): void {
    this.memory = memory;
    this.frames = frames;
    this.first = first;
    this.last = last;
    this.start = frames[first]!.start;
    this.end = frames[last - 1]!.end;
    this.view = memory.bytes.subarray(this.start, this.end);
  }
}
