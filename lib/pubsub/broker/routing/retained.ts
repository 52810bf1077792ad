import { filterCovers, isWildcard } from "../../protocol/topic.ts";
import { overlapping } from "../../protocol/overlapping.ts";
import { TokenTree } from "../../protocol/token_tree.ts";

/**
 * What a retained frame costs beside its bytes and its place in the tree. Most of it is what the
 * runtime keeps of each array: 200,000 frames of 100 bytes made the process 186 MB larger.
 */
const FRAME_BYTES = 700;

/** The last frame of a topic. */
interface Entry {
  /** Not written to any more; `undefined` once it is forgotten. */
  bytes: Uint8Array | undefined;
  /** Counts the topics that got a first frame, so that a walk tells old topics from new ones. */
  readonly number: number;
}

/** The last frame of each topic that was published with `retain`. */
export class Retained {
  readonly #maxBytes: number;
  readonly #tree = new TokenTree<Entry>();
  readonly #walks = new Set<RetainedWalk>();
  /** What is on its way to subscribers, the oldest first. */
  readonly #selections = new Set<RetainedSelection>();
  /** What was found last, for as long as nothing has changed: a thousand may ask for the same. */
  #last: { readonly filter: string; readonly frames: readonly Uint8Array[] } | undefined;
  /** Bytes of all frames that were replaced or forgotten so far. */
  #replacedBytes = 0;
  #frameBytes = 0;
  #count = 0;

  /** @param maxBytes The most that all of them may take. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many topics have one. */
  get size(): number {
    return this.#tree.size;
  }

  /** The bytes that they take, with what keeping them costs. */
  get bytes(): number {
    return this.#frameBytes + this.#tree.bytes;
  }

  /**
   * Keeps a frame as the topic's last; the bytes are copied.
   *
   * @returns `false`, with the one before still there, if it does not fit.
   */
  set(topic: string, frame: Uint8Array): boolean {
    this.#last = undefined;
    const known = this.#tree.get(topic);
    const before = known?.bytes;
    const more = known ? frame.length - known.bytes!.length : frame.length + FRAME_BYTES;
    if (this.bytes + more > this.#maxBytes) return false;
    if (known) known.bytes = frame.slice();
    else {
      const entry = { bytes: frame.slice(), number: ++this.#count };
      this.#tree.set(topic, entry);
      if (this.bytes + more > this.#maxBytes) {
        this.#tree.delete(topic);
        return false;
      }
      for (const walk of this.#walks) walk.created(topic, entry);
    }
    this.#frameBytes += more;
    if (before) this.#replaced(before);
    return true;
  }

  /** Forgets the topic's frame. */
  clear(topic: string): void {
    this.#last = undefined;
    const entry = this.#tree.delete(topic);
    if (entry === undefined) return;
    this.#frameBytes -= entry.bytes!.length + FRAME_BYTES;
    this.#replaced(entry.bytes!);
    entry.bytes = undefined;
  }

  /**
   * Begins to look for the frames of all topics that a filter matches, in steps: others may be
   * served between them, and what is published then is taken into account.
   */
  walk(filter: string): RetainedWalk {
    const found = isWildcard(filter)
      ? overlapping(this.#tree, filter)
      : [this.#tree.get(filter)].filter((entry) => entry !== undefined).values();
    const walk = new RetainedWalk(filter, found, this.#count, (frames, areAll) => {
      this.#walks.delete(walk);
      if (areAll) this.#last = { filter, frames };
      return this.#select(frames);
    });
    this.#walks.add(walk);
    return walk;
  }

  /**
   * What the last look found, if it was for the same filter and nothing has changed since. The frames
   * are in the same array. The caller has to release them.
   */
  again(filter: string): RetainedSelection | undefined {
    return this.#last?.filter === filter ? this.#select(this.#last.frames) : undefined;
  }

  #select(frames: readonly Uint8Array[]): RetainedSelection {
    const selection = new RetainedSelection(
      frames,
      this.#replacedBytes,
      () => this.#selections.delete(selection),
    );
    this.#selections.add(selection);
    return selection;
  }

  /** Frames that were replaced stay in memory while somebody is still to get them. */
  #replaced(frame: Uint8Array): void {
    this.#replacedBytes += frame.length;
    const [oldest] = this.#selections;
    if (oldest && this.#replacedBytes - oldest.replacedBytes > this.#maxBytes) oldest.outdate();
  }
}

/** Retained frames on their way to a subscriber. */
export class RetainedSelection {
  /** The frames, which nobody writes to. */
  frames: readonly Uint8Array[];
  /** How many bytes had been replaced when they were selected. */
  readonly replacedBytes: number;
  /**
   * Called when the bytes replaced since then reach the limit for all retained frames: the subscriber
   * reads too slowly for the replaced frames to be kept for it.
   */
  onOutdated: (() => void) | undefined;
  readonly #onRelease: () => void;

  /** Made by {@linkcode RetainedWalk.end}. */
  constructor(frames: readonly Uint8Array[], replacedBytes: number, onRelease: () => void) {
    this.frames = frames;
    this.replacedBytes = replacedBytes;
    this.#onRelease = onRelease;
  }

  /**
   * Leaves out what a subscriber does not want.
   *
   * @param maxCount How many frames it wants, those included that are too large.
   * @param maxContentBytes How much content a frame may have.
   * @returns What was too large, if anything was.
   */
  limitTo(
    maxCount: number,
    maxContentBytes: number,
  ): { readonly count: number; readonly bytes: number } | undefined {
    if (this.frames.length > maxCount) this.frames = this.frames.slice(0, maxCount);
    if (maxContentBytes === Infinity) return undefined;
    if (!this.frames.some((frame) => frame.length > maxContentBytes)) return undefined;
    const large = this.frames.filter((frame) => contentBytes(frame) > maxContentBytes);
    if (large.length === 0) return undefined;
    this.frames = this.frames.filter((frame) => contentBytes(frame) <= maxContentBytes);
    return { count: large.length, bytes: large.reduce((sum, { length }) => sum + length, 0) };
  }

  /** Called when all frames are sent, or will not be. */
  release(): void {
    this.#onRelease();
  }

  /** Called when too much is kept for it. */
  outdate(): void {
    this.release();
    this.onOutdated?.();
  }
}

/** A look for retained frames, in steps. */
export class RetainedWalk {
  readonly #filter: string;
  readonly #entries: Iterator<Entry | undefined>;
  /** Topics with a greater number came after the walk began. */
  readonly #lastNumber: number;
  readonly #select: (frames: readonly Uint8Array[], areAll: boolean) => RetainedSelection;
  readonly #found: Entry[] = [];
  #isDone = false;

  /** Made by {@linkcode Retained.walk}. */
  constructor(
    filter: string,
    entries: Iterator<Entry | undefined>,
    lastNumber: number,
    select: (frames: readonly Uint8Array[], areAll: boolean) => RetainedSelection,
  ) {
    this.#filter = filter;
    this.#entries = entries;
    this.#lastNumber = lastNumber;
    this.#select = select;
  }

  /** How many frames were found so far; some of them may have been forgotten since. */
  get found(): number {
    return this.#found.length;
  }

  /** Takes up to this many topics that match, or looks at a few times as many; `true` at the end. */
  step(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const { done, value } = this.#entries.next();
      if (done) return this.#isDone = true;
      // New topics are reported by `created`, wherever the walk is.
      if (value !== undefined && value.number <= this.#lastNumber) this.#found.push(value);
    }
    return false;
  }

  /** Called when a topic got its first frame. */
  created(topic: string, entry: Entry): void {
    if (filterCovers(this.#filter, topic)) this.#found.push(entry);
  }

  /**
   * Ends the walk. Returns the frames as they are at this moment, if all steps were made. The
   * caller has to release them.
   */
  end(): RetainedSelection {
    const frames: Uint8Array[] = [];
    for (const { bytes } of this.#found) if (bytes) frames.push(bytes);
    return this.#select(frames, this.#isDone);
  }
}

/** The size of a frame's content, in bytes. */
function contentBytes(frame: Uint8Array): number {
  return frame.length - 2 - (frame[0]! * 256 + frame[1]!);
}
