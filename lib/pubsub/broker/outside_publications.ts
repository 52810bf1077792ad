import type { Frame, HeaderCache } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { SharedMemory } from "../../net/bytes/shared_memory.ts";
import { Condition } from "../../base/condition.ts";
import { Deque } from "../../base/deque.ts";
import type { BackplaneHost } from "./backplane.ts";
import { DELIVERY_NS, HEADER_NS, LOOK_NS } from "./request_time.ts";
import type { Retained } from "./routing/retained.ts";
import type { Route } from "./routing/route.ts";
import type { Router } from "./routing/router.ts";
import type { Group } from "./routing/subscription.ts";

/** The most bytes of other publications that wait behind those that take long. */
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

/**
 * Hands on what other brokers bring, in the order in which it comes. Clients have their turn in between:
 * one read may bring thousands of publications, each with receivers of its own.
 */
export class OutsidePublications implements BackplaneHost {
  readonly #core: OutsideTarget;
  /** What waits behind a route that is searched for, the clients' turn, or what very many get. */
  readonly #waiting = new Deque<() => Promise<void> | undefined>();
  #waitingBytes = 0;
  #isWaiting = false;
  /** Nothing waits any more. */
  readonly #done = new Condition();
  /** Work since the last look at the clock. */
  #workedNs = 0;
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
        const turn = this.#worked(route);
        if (turn) return turn;
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
    // Nothing more is read meanwhile: it would be kept, or dropped where it is too much.
    return this.#isWaiting ? this.#done.wait() : this.#core.pause();
  }

  /** Counts what handing on to a route has cost: a promise to wait for if others are due. */
  #worked({ subscriptions, overlaps }: Route): Promise<void> | undefined {
    const { router, pause } = this.#core;
    const deliveries = subscriptions.length + overlaps;
    this.#workedNs += HEADER_NS + router.takeWork() + deliveries * DELIVERY_NS;
    if (this.#workedNs < LOOK_NS) return undefined;
    this.#workedNs = 0;
    return pause();
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
    if (!this.#isWaiting) {
      const until = work();
      if (until === undefined) return;
      void this.#goOn(until, work);
    } else {
      this.#waitingBytes += bytes;
      this.#waiting.push(() => {
        this.#waitingBytes -= bytes;
        bytes = 0;
        return work();
      });
    }
  }

  async #goOn(first: Promise<void>, work: () => Promise<void> | undefined): Promise<void> {
    this.#isWaiting = true;
    let next: typeof work | undefined = work;
    let until: Promise<void> | undefined = first;
    while (next) {
      while (until) {
        await until;
        until = next();
      }
      next = this.#waiting.shift();
      until = next?.();
    }
    this.#isWaiting = false;
    this.#done.notify();
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
