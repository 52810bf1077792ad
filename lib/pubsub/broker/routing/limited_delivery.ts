import { wantingPart } from "./route.ts";
import { Run } from "./run.ts";
import type { Receiver, Subscription } from "./subscription.ts";

/** The part of a run that goes to a limited subscription; used over and over. */
const part = new Run();

/**
 * Hands a run to a limited subscription of a route: no more publications than it wants, and if it
 * asked for that, none that its own connection published.
 *
 * @param completed Gets the subscriptions that have had all that they wanted, to be ended.
 * @returns How many publications are on their way.
 */
export function addLimited(
  run: Run,
  subscription: Subscription,
  publisher: Receiver | undefined,
  completed: Subscription[],
): number {
  const { memory, frames, last } = run;
  let added = 0;
  for (let first = run.first; first < last;) {
    const wanting = wantingPart(subscription, publisher);
    if (wanting === undefined) break;
    const those = wanting.overlapping ?? [wanting];
    let next = last;
    for (const { limits } of those) if (limits) next = Math.min(next, first + limits.left);
    part.set(memory, frames, first, next);
    added += wanting.receiver.add(part, wanting);
    for (const one of those) if (isCompletedBy(one, next - first)) completed.push(one);
    first = next;
  }
  part.clear();
  return added;
}

/** Counts publications that were handed to a subscription; whether it has had all that it wanted. */
export function isCompletedBy({ limits }: Subscription, count: number): boolean {
  if (limits === undefined) return false;
  limits.left -= count;
  return limits.left === 0;
}
