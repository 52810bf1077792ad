import type { Router } from "./router.ts";
import type { Run } from "./run.ts";
import type { Receiver, Subscription } from "./subscription.ts";

/** The most filters that are counted; each takes about 1 KiB. */
const MAX_COUNTED = 1_000;

/** One that somebody asked for within this time does not make room for another. */
const KEPT_MS = 60_000;

/** One to which nobody has subscribed for this time is forgotten: each publication pays for it. */
const IDLE_MS = 900_000;

/** What a filter has matched, as a client is told that asks for it. */
export type PublicationCount = {
  /** Names what is counted. Another name means: since another moment. */
  readonly counter: string;
  readonly count: number;
};

/** A subscriber that counts publications, and gets none. */
class PublicationCounter implements Receiver {
  readonly counts = true;
  readonly congested = false;
  readonly writtenBytes = 0;
  readonly toldBytes = 0;
  readonly name: string;
  count = 0;
  askedAt = 0;
  /** When it was seen last that somebody subscribes to the filter. */
  usedAt = 0;
  subscription: Subscription | undefined;

  constructor(name: string) {
    this.name = name;
  }

  add({ first, last }: Run): number {
    this.count += last - first;
    return 0;
  }

  addGrouped(): number {
    return 0;
  }

  lost(): void {}

  completed(): void {}

  tooSlow(): void {}
}

/**
 * Counts what filters match, also while nobody subscribes to them: a client that comes back is told
 * how far the count is, and knows how much it has missed. Those that nobody asked for the longest time
 * make room for others.
 */
export class PublicationCounters {
  readonly #router: Router;
  readonly #epoch: string;
  /** By filter; those that were asked for last stand last. */
  readonly #counters = new Map<string, PublicationCounter>();
  #made = 0;

  /** @param epoch Names this start of the broker. */
  constructor(router: Router, epoch: string) {
    this.#router = router;
    this.#epoch = epoch;
  }

  /** How many filters are counted to which nobody subscribes. */
  get idle(): number {
    let idle = 0;
    for (const counter of this.#counters.values()) if (!isUsed(counter)) idle++;
    return idle;
  }

  /** Forgets those to which nobody has subscribed for long. To be called now and then. */
  forgetIdle(now: number): void {
    for (const [filter, counter] of this.#counters) {
      if (isUsed(counter)) counter.usedAt = now;
      else if (now - counter.usedAt > IDLE_MS) this.#remove(filter, counter);
    }
  }

  /** The count of a filter, which begins if it has none; `undefined` if there is no room for it. */
  of(filter: string, now: number): PublicationCount | undefined {
    const counter = this.#counters.get(filter) ?? this.#make(filter, now);
    if (counter === undefined) return undefined;
    counter.askedAt = counter.usedAt = now;
    this.#counters.delete(filter);
    this.#counters.set(filter, counter);
    return { counter: counter.name, count: counter.count };
  }

  #make(filter: string, now: number): PublicationCounter | undefined {
    if (this.#counters.size >= MAX_COUNTED) {
      const [oldest, counter] = this.#counters.entries().next().value!;
      if (now - counter.askedAt < KEPT_MS) return undefined;
      this.#remove(oldest, counter);
    }
    const counter = new PublicationCounter(`${this.#epoch}.${++this.#made}`);
    counter.subscription = this.#router.add(filter, undefined, "latest", counter);
    counter.subscription.entry.isCounted = true;
    return counter;
  }
  #remove(filter: string, { subscription }: PublicationCounter): void {
    this.#counters.delete(filter);
    subscription!.entry.isCounted = false;
    this.#router.remove(subscription!);
  }
}

function isUsed({ subscription }: PublicationCounter): boolean {
  const { subscribers, members } = subscription!.entry;
  return subscribers + members > 0;
}
