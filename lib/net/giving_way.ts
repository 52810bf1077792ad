import { FairLine } from "../base/fair_line.ts";

/** Who has connections whose peers have not shown yet what they come for. */
export interface Holder {
  /** Counts them. */
  unproven(): number;
  /** Closes `count` of them: the oldest of the network that has the most, as {@linkcode payers} does. */
  giveUp(count: number): void;
}

/** The part of them that gives way at a time: it leaves some descriptors over for files too. */
const SHARE = 1 / 8;
const MAX_AT_ONCE = 32;

/** The holders of this thread. */
const holders = new Set<Holder>();

/** Lets connections of a holder be closed where descriptors run out, until it is disposed of. */
export function giveWay(holder: Holder): Disposable {
  holders.add(holder);
  return { [Symbol.dispose]: () => void holders.delete(holder) };
}

/**
 * Called when the process has no descriptor left: closes some connections of the holder that has the most
 * whose peers have not shown what they come for. Else a peer that connects and says nothing would keep
 * all others out. The descriptors are free after the runtime has had its turn.
 *
 * @returns Whether there were such connections.
 */
export function freeDescriptors(): boolean {
  let most: Holder | undefined;
  let count = 0;
  for (const holder of holders) {
    const unproven = holder.unproven();
    if (unproven > count) [most, count] = [holder, unproven];
  }
  most?.giveUp(Math.min(MAX_AT_ONCE, Math.ceil(count * SHARE)));
  return most !== undefined;
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
  const line = new FairLine<T>();
  for (const item of items) line.push(networkOf(item), item);
  const chosen: T[] = [];
  while (chosen.length < count && line.size > 0) {
    let most: ReadonlySet<T> | undefined;
    for (const group of line.groups) if (group.size > (most?.size ?? 0)) most = group;
    const [first] = most!;
    line.delete(networkOf(first!), first!);
    chosen.push(first!);
  }
  return chosen;
}
