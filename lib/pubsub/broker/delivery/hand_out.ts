import { inSteps, type Pause } from "../../../base/in_steps.ts";
import { addLimited, isCompletedBy } from "../routing/limited_delivery.ts";
import { deliveriesOf, type Route } from "../routing/route.ts";
import { Run } from "../routing/run.ts";
import { pickMember } from "../routing/group.ts";
import { type Group, isEnded, type Receiver, type Subscription } from "../routing/subscription.ts";

/** The most deliveries of one run in one go: each takes about 0.2 µs where nobody is behind. */
const MAX_AT_ONCE = 250;

/** The most bytes in one go: they are copied for receivers that are behind. */
const MAX_BYTES_AT_ONCE = 4_194_304;

/** A run is copied once for all slow receivers if it has at least this many subscriptions. */
const MIN_SHARING = 16;

/** A run that takes longer is handed out in steps: deliveries and bytes between looks at the clock. */
const PART = 50;
const PART_BYTES = 262_144;

/**
 * Whether handing out a run takes long: all of it goes to each of the subscriptions, and each of its
 * publications to one member of each of the groups.
 *
 * @param overlaps As {@linkcode Route.overlaps}.
 */
export function takesLong(
  run: Run,
  subscriptions: number,
  groups: number,
  overlaps: Route["overlaps"],
): boolean {
  const receivers = subscriptions + groups;
  if (receivers < 2) return false;
  const deliveries = subscriptions + overlaps + groups * (run.last - run.first);
  return deliveries > MAX_AT_ONCE || receivers * (run.end - run.start) > MAX_BYTES_AT_ONCE;
}

/** Whether slow receivers share one copy of a run that goes to this many subscriptions. */
export function isShared(subscriptions: number): boolean {
  return subscriptions >= MIN_SHARING;
}

/**
 * Hands a run to a subscription of a route.
 *
 * @param completed Gets those that have had all that they wanted, for {@linkcode endCompleted}.
 * @returns How many publications are on their way.
 */
export function handTo(
  subscription: Subscription,
  run: Run,
  publisher: Receiver | undefined,
  completed: Subscription[],
): number {
  return subscription.limits
    ? addLimited(run, subscription, publisher, completed)
    : subscription.receiver.add(run, subscription);
}

/** Hands each publication of a run to one member of a group, and adds those members to `counted`. */
export function handToGroup(
  group: Group,
  run: Run,
  publisher: Receiver | undefined,
  counted: Set<Receiver>,
): void {
  for (let i = run.first; i < run.last; i++) {
    const member = pickMember(group, publisher);
    if (member === undefined) break;
    if (member.receiver.addGrouped(run, i, member, group) > 0) counted.add(member.receiver);
    if (isCompletedBy(member, 1)) member.receiver.completed(member);
  }
}

/** Ends subscriptions, and empties their list. */
export function endCompleted(completed: Subscription[]): void {
  if (completed.length === 0) return;
  for (const subscription of completed) subscription.receiver.completed(subscription);
  completed.length = 0;
}

/**
 * A run on its way to very many receivers, in steps: others are served in between. It goes to those
 * who subscribed when it began, and have not unsubscribed when it is their turn.
 */
export class HandingOut {
  readonly #run = new Run();
  readonly #subscriptions: readonly Subscription[];
  readonly #groups: readonly Group[];
  readonly #publisher: Receiver | undefined;
  readonly #counted = new Set<Receiver>();
  readonly #completed: Subscription[] = [];
  #next = 0;

  /** The frames of the run must stay as they are; the rest is copied. */
  constructor(
    { memory, frames, first, last }: Run,
    subscriptions: readonly Subscription[],
    groups: readonly Group[],
    publisher: Receiver | undefined,
  ) {
    this.#run.set(memory, frames, first, last);
    this.#run.isShared = isShared(subscriptions.length);
    this.#subscriptions = subscriptions.slice();
    this.#groups = groups.slice();
    this.#publisher = publisher;
    // Who subscribes from here on does not get the run: by then it has to be counted.
    for (const subscription of this.#subscriptions) {
      if (subscription.receiver.counts) subscription.receiver.add(this.#run, subscription);
    }
  }

  /**
   * @param putOff Puts off what the receivers so far are sent.
   * @returns How many connections the run is on its way to; a promise where it takes long.
   */
  run(pause: Pause, putOff: () => void): number | Promise<number> {
    let takesLong = false;
    const working = inSteps(() => {
      const isOver = this.#part();
      if (takesLong) putOff();
      return isOver;
    }, pause);
    if (working === undefined) return this.#end();
    takesLong = true;
    putOff();
    return working.then(() => this.#end());
  }

  #end(): number {
    this.#run.clear();
    return this.#counted.size;
  }

  /** Does a part; `true` once all is done. */
  #part(): boolean {
    const { start, end, first, last } = this.#run;
    const subscriptions = this.#subscriptions.length;
    const all = subscriptions + this.#groups.length;
    for (let done = 0, bytes = 0; done < PART && bytes < PART_BYTES;) {
      if (this.#next === all) break;
      const index = this.#next++;
      bytes += end - start;
      if (index < subscriptions) {
        const subscription = this.#subscriptions[index]!;
        this.#handTo(subscription);
        done += deliveriesOf(subscription);
      } else {
        const group = this.#groups[index - subscriptions]!;
        handToGroup(group, this.#run, this.#publisher, this.#counted);
        done += last - first;
      }
    }
    endCompleted(this.#completed);
    return this.#next === all;
  }

  #handTo(subscription: Subscription): void {
    if (isEnded(subscription) || subscription.receiver.counts) return;
    const added = handTo(subscription, this.#run, this.#publisher, this.#completed);
    if (added > 0) this.#counted.add(subscription.receiver);
  }
}
