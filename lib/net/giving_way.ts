import { ArrivalPatience } from "./arrival_patience.ts";
import type { Turns } from "./turns.ts";

/** Who has connections whose peers have not shown yet what they come for. */
export interface Holder {
  /** Counts them. */
  unproven(): number;
  /** Closes `count` of them: the oldest of the network that has the most, as {@linkcode payers} does. */
  giveUp(count: number): void;
}

/** The part of them that gives way at a time: it leaves some descriptors over for files too. */
const SHARE = 1 / 4;
const MAX_AT_ONCE = 64;

/** So many are compared with each other. Of more than these, some are left out: it would take too long. */
const MAX_COMPARED = 4_096;

/** The part of all connections that unproven ones may be before they give way to others. */
const UNPROVEN_SHARE = 1 / 4;

/** After this time the descriptors are free of those that were closed. */
const FREED_MS = 1;

/** What is given back of patience for each connection that has shown what it comes for, or ended; and of time. */
const EARNED_MS = 2;
const EARNED_OF_TIME = 1 / 50;

/** For this long after descriptors have run out they count as scarce. */
const SCARCE_MS = 100;

/** The holders of this thread. */
const holders = new Set<Holder>();
let freeing: Promise<boolean> | undefined;
let ranOutAt = -Infinity;
const ownPatience = new ArrivalPatience(100);

/** Lets connections of a holder be closed where descriptors run out, until it is disposed of. */
export function giveWay(holder: Holder): Disposable {
  holders.add(holder);
  return { [Symbol.dispose]: () => void holders.delete(holder) };
}

/**
 * Called when the process has no descriptor left: closes some connections of the holder that has the most
 * whose peers have not shown what they come for. Else a peer that connects and says nothing would keep
 * all others out. Who calls it meanwhile waits for the same descriptors. First it waits, for as long as
 * there is {@linkcode ArrivalPatience}: peers that came at once show it, and go.
 *
 * @param turns Those in which connections end.
 * @returns Whether there were such connections, so that it is worth trying again. Never rejects.
 */
export function freeDescriptors(
  turns: Pick<Turns, "takeToEnd">,
  patience = ownPatience,
): Promise<boolean> {
  return freeing ??= free(turns, patience).finally(() => freeing = undefined);
}

/** What to wait for before another descriptor is taken, while some are being made free. */
export function descriptorsToCome(): Promise<void> | undefined {
  return freeing?.then(() => {});
}

/** Somebody who waited for a descriptor has one, and goes on. */
export function noteProgress(): void {
  ownPatience.giveBack(EARNED_MS);
}

/** Whether descriptors ran out a moment ago. */
export function areDescriptorsScarce(): boolean {
  return performance.now() - ranOutAt < SCARCE_MS;
}

async function free(turns: Pick<Turns, "takeToEnd">, patience: ArrivalPatience): Promise<boolean> {
  const now = performance.now();
  patience.giveBack((now - ranOutAt) * EARNED_OF_TIME);
  ranOutAt = now;
  const unproven = countUnproven();
  if (unproven === 0) return false;
  if (!patience.isOver) {
    await patience.wait();
    patience.giveBack(Math.max(0, unproven - countUnproven()) * EARNED_MS);
    return true;
  }
  let most: Holder | undefined;
  let count = 0;
  for (const holder of holders) {
    const unproven = holder.unproven();
    if (unproven > count) [most, count] = [holder, unproven];
  }
  most?.giveUp(shareOf(count));
  await turns.takeToEnd();
  await new Promise((resolve) => setTimeout(resolve, FREED_MS));
  return true;
}

function countUnproven(): number {
  return [...holders].reduce((sum, holder) => sum + holder.unproven(), 0);
}

function shareOf(count: number): number {
  return Math.min(MAX_AT_ONCE, Math.ceil(count * SHARE));
}

/** What a {@linkcode GivingWay} has to know of connections. */
export interface GivingWayRules<T> {
  /** Whether its peer has not shown yet what it comes for. */
  isUnproven(connection: T): boolean;
  /** The network of its peer. */
  networkOf(connection: T): string;
  /** Closes it. It counts no more from then on. */
  close(connection: T): void;
}

/** The connections of a server, of which some give way where there is no room for others. */
export class GivingWay<T extends NonNullable<unknown>> implements Holder, Disposable {
  readonly #connections: () => Iterable<T>;
  readonly #rules: GivingWayRules<T>;
  readonly #held = giveWay(this);

  /** @param connections All there are, in the order in which they came. */
  constructor(connections: () => Iterable<T>, rules: GivingWayRules<T>) {
    this.#connections = connections;
    this.#rules = rules;
  }

  unproven(): number {
    return this.#unproven().length;
  }

  giveUp(count: number): void {
    this.#giveUp(this.#unproven(), count);
  }

  /**
   * Closes some for one more than `most` connections.
   *
   * @returns Whether it did. Only where more than a quarter of them are unproven, these give way.
   */
  makeRoom(most: number): boolean {
    const unproven = this.#unproven();
    if (unproven.length <= most * UNPROVEN_SHARE) return false;
    this.#giveUp(unproven, shareOf(unproven.length));
    return true;
  }

  /** None of them gives way any more where descriptors run out. */
  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
  }

  #unproven(): T[] {
    const unproven: T[] = [];
    for (const each of this.#connections()) if (this.#rules.isUnproven(each)) unproven.push(each);
    return unproven;
  }

  #giveUp(unproven: readonly T[], count: number): void {
    const step = Math.ceil(unproven.length / MAX_COMPARED);
    const compared = step > 1 ? unproven.filter((_, i) => i % step === 0) : unproven;
    for (const each of payers(compared, this.#rules.networkOf, count)) this.#rules.close(each);
  }
}

/**
 * Chooses who goes where there are too many: of the network that has the most the one that came first,
 * then of the network that has the most without it, and so on.
 *
 * @param items In the order in which they came.
 */
export function payers<T extends NonNullable<unknown>>(
  items: Iterable<T>,
  networkOf: (item: T) => string,
  count: number,
): T[] {
  const networks = Map.groupBy(items, networkOf);
  // Nobody is chosen of others than the largest.
  const largest = [...networks.values()].sort((a, b) => b.length - a.length).slice(0, count)
    .map((items) => ({ items, taken: 0 }));
  const chosen: T[] = [];
  while (chosen.length < count) {
    let most: typeof largest[number] | undefined;
    let left = 0;
    for (const each of largest) {
      const { items, taken } = each;
      if (items.length - taken > left) [most, left] = [each, items.length - taken];
    }
    if (!most) break;
    chosen.push(most.items[most.taken++]!);
  }
  return chosen;
}
