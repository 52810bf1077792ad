import type { Frame, HeaderCache } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { SharedMemory } from "../../net/bytes/shared_memory.ts";
import { Deque } from "../../base/deque.ts";
import type { BackplaneHost } from "./backplane.ts";
import type { Retained } from "./routing/retained.ts";
import type { Route } from "./routing/route.ts";
import type { Router } from "./routing/router.ts";
import type { Group } from "./routing/subscription.ts";

/** The most bytes of other publications that wait while a route is searched for. */
const MAX_WAITING_BYTES = 16_777_216;

/** The broker, as far as it is needed here. */
export interface OutsideTarget {
  readonly limits: { readonly maxContentBytes: number; readonly maxPendingBytes: number };
  readonly headerCache: HeaderCache;
  readonly retained: Retained;
  readonly router: Router;
  readonly flushSoon: () => void;
  readonly pause: () => Promise<void> | undefined;
  forward(
    memory: SharedMemory,
    frames: readonly Frame[],
    first: number,
    last: number,
    route: Route,
  ): number | Promise<number>;
  forwardToGroup(memory: SharedMemory, frames: readonly Frame[], group: Group): void;
  tellLost(route: Route, count: number, atLeast: boolean): void;
}

/** Hands on what other brokers bring, in the order in which it comes. */
export class OutsidePublications implements BackplaneHost {
  readonly #core: OutsideTarget;
  /** What waits for a route that is searched for, or for publications that very many get. */
  readonly #waiting = new Deque<() => Promise<void> | undefined>();
  #waitingBytes = 0;
  #isSearching = false;
  /** By topic: what came while too much waited. */
  #dropped = new Map<string, number>();

  constructor(core: OutsideTarget) {
    this.#core = core;
  }

  get maxContentBytes(): number {
    return this.#core.limits.maxContentBytes;
  }

  decode(bytes: Uint8Array, start: number, end: number): readonly Frame[] {
    const { headerCache } = this.#core;
    const decoder = new FrameDecoder({ maxContentBytes: Infinity, headerCache });
    return decoder.decode(bytes, start, end).frames;
  }

  deliver(frames: readonly Frame[], memory: SharedMemory): void {
    const bytes = frames.at(-1)!.end;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return this.#drop(frames);
    memory.borrow();
    let first = 0;
    const work = (): Promise<void> | undefined => {
      while (first < frames.length) {
        const topic = frames[first]!.header["topic"] as string;
        const route = this.#core.router.find(topic);
        if (route === undefined) return this.#core.router.search(topic);
        const last = this.#lastOfRun(frames, first, route);
        const forwarding = this.#core.forward(memory, frames, first, last, route);
        first = last;
        if (typeof forwarding !== "number") return forwarding.then(this.#core.flushSoon);
        this.#core.flushSoon();
      }
      memory.giveBack();
      return undefined;
    };
    this.#inOrder(work, bytes);
  }

  deliverToGroup(filter: string, group: string, bytes: Uint8Array<ArrayBuffer>): void {
    const frames = this.decode(bytes, 0, bytes.length);
    const members = this.#core.router.group(filter, group);
    if (members === undefined) return;
    this.#core.forwardToGroup(new SharedMemory(bytes), frames, members);
    this.#core.flushSoon();
  }

  lost(topic: string, count: number, atLeast: boolean): void {
    this.#inOrder(() => {
      const route = this.#core.router.find(topic);
      if (route === undefined) return this.#core.router.search(topic);
      this.#core.tellLost(route, count, atLeast);
      this.#core.flushSoon();
      return undefined;
    }, 0);
  }

  retained(topic: string, frame: Uint8Array | undefined): void {
    // Where there is no room for a value, an older one would be wrong.
    if (frame === undefined || !this.#core.retained.set(topic, frame)) {
      this.#core.retained.clear(topic);
    }
  }

  hasSubscribers(topic: string): boolean {
    const route = this.#core.router.find(topic);
    return route === undefined || route.subscriptions.length > 0;
  }

  turn(): Promise<void> | undefined {
    return this.#core.pause();
  }

  /** Of frames that have the same route the end: the index of the first that has not. */
  #lastOfRun(frames: readonly Frame[], first: number, route: Route): number {
    // A larger run would not fit into the smallest backlog.
    const maxBytes = this.#core.limits.maxPendingBytes / 2;
    const { start, header } = frames[first]!;
    let last = first + 1;
    let lastHeader = header;
    for (; last < frames.length; last++) {
      const frame = frames[last]!;
      if (frame.end - start > maxBytes) break;
      if (frame.header === lastHeader) continue;
      if (this.#core.router.find(frame.header["topic"] as string) !== route) break;
      lastHeader = frame.header;
    }
    return last;
  }

  /** Does it at once, or behind what waits. `work` is called again after each promise of it. */
  #inOrder(work: () => Promise<void> | undefined, bytes: number): void {
    if (!this.#isSearching) {
      const search = work();
      if (search === undefined) return;
      void this.#searched(search, work);
    } else {
      this.#waitingBytes += bytes;
      this.#waiting.push(() => {
        this.#waitingBytes -= bytes;
        bytes = 0;
        return work();
      });
    }
  }

  async #searched(search: Promise<void>, work: () => Promise<void> | undefined): Promise<void> {
    this.#isSearching = true;
    let next: typeof work | undefined = work;
    let until: Promise<void> | undefined = search;
    while (next) {
      while (until) {
        await until;
        until = next();
      }
      next = this.#waiting.shift();
      until = next?.();
    }
    this.#isSearching = false;
    const dropped = this.#dropped;
    this.#dropped = new Map();
    for (const [topic, count] of dropped) this.lost(topic, count, false);
  }

  #drop(frames: readonly Frame[]): void {
    for (const { header } of frames) {
      const topic = header["topic"] as string;
      this.#dropped.set(topic, (this.#dropped.get(topic) ?? 0) + 1);
    }
  }
}
