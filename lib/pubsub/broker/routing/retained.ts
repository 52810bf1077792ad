import { filterCovers, isWildcard } from "../../protocol/topic.ts";
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
    const known = this.#tree.get(topic);
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
    return true;
  }

  /** Forgets the topic's frame. */
  clear(topic: string): void {
    const entry = this.#tree.delete(topic);
    if (entry === undefined) return;
    this.#frameBytes -= entry.bytes!.length + FRAME_BYTES;
    entry.bytes = undefined;
  }

  /** The frames of all topics that a filter matches. */
  match(filter: string): Uint8Array[] {
    const walk = this.walk(filter);
    while (!walk.step(1_000));
    return walk.end();
  }

  /**
   * Begins to look for the frames of all topics that a filter matches, in steps: others may be
   * served between them, and what is published then is taken into account.
   */
  walk(filter: string): RetainedWalk {
    const found = isWildcard(filter)
      ? this.#tree.below(filter)
      : [this.#tree.get(filter)].filter((entry) => entry !== undefined).values();
    const walk = new RetainedWalk(filter, found, this.#count, () => this.#walks.delete(walk));
    this.#walks.add(walk);
    return walk;
  }
}

/** A look for retained frames, in steps. */
export class RetainedWalk {
  readonly #filter: string;
  readonly #entries: Iterator<Entry>;
  /** Topics with a greater number came after the walk began. */
  readonly #lastNumber: number;
  readonly #onEnd: () => void;
  readonly #found: Entry[] = [];

  /** Made by {@linkcode Retained.walk}. */
  constructor(filter: string, entries: Iterator<Entry>, lastNumber: number, onEnd: () => void) {
    this.#filter = filter;
    this.#entries = entries;
    this.#lastNumber = lastNumber;
    this.#onEnd = onEnd;
  }

  /** How many frames were found so far; some of them may have been forgotten since. */
  get found(): number {
    return this.#found.length;
  }

  /** Looks at up to so many topics that match; `true` once there are no more. */
  step(count: number): boolean {
    for (let i = 0; i < count; i++) {
      const { done, value } = this.#entries.next();
      if (done) return true;
      // New topics are told by `created`, wherever the walk stands.
      if (value.number <= this.#lastNumber) this.#found.push(value);
    }
    return false;
  }

  /** Called when a topic got its first frame. */
  created(topic: string, entry: Entry): void {
    if (filterCovers(this.#filter, topic)) this.#found.push(entry);
  }

  /** Ends the walk. The frames as they are at this moment, if all steps were made. */
  end(): Uint8Array[] {
    this.#onEnd();
    const frames: Uint8Array[] = [];
    for (const { bytes } of this.#found) if (bytes) frames.push(bytes);
    return frames;
  }
}
