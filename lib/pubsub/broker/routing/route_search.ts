import { inSteps, type Pause, visitInParts } from "../../../base/in_steps.ts";
import { filterCovers } from "../../protocol/topic.ts";
import { joinRoute, type Route, RouteJoin } from "./route.ts";
import type { FilterEntry } from "./subscription.ts";

/** Nodes or subscriptions to visit before looking at the clock again. */
const PART = 200;

/** After this many restarts because of changes, the join is done in one go. */
const MAX_RESTARTS = 3;

/**
 * Finds the route of a topic that very many filters match, in steps: others are served, and may
 * subscribe and unsubscribe, in between.
 */
export class RouteSearch {
  /** The topic. */
  readonly topic: string;
  readonly #entries = new Set<FilterEntry>();
  /** Counts the changes that concern the topic. */
  #changes = 0;

  /** @param topic A valid topic. */
  constructor(topic: string) {
    this.topic = topic;
  }

  /** Called when something changed about a filter. */
  changed(entry: FilterEntry): void {
    if (!filterCovers(entry.filter, this.topic)) return;
    this.#changes++;
    if (entry.empty) this.#entries.delete(entry);
    else this.#entries.add(entry);
  }

  /**
   * Finds the route among all filters that match; it is good at the moment when this resolves.
   *
   * @param pause Lets others be served.
   */
  async run(matching: Iterable<FilterEntry | undefined>, pause?: Pause): Promise<Route> {
    await inSteps(
      visitInParts(matching, (entry) => {
        if (entry && !entry.empty) this.#entries.add(entry);
      }, PART),
      pause,
    );
    for (let i = 0; i < MAX_RESTARTS; i++) {
      const changes = this.#changes;
      const join = new RouteJoin();
      await inSteps(joinInParts(this.#entries, join), pause);
      if (this.#changes === changes) return join.route();
    }
    return joinRoute([...this.#entries]);
  }
}

function joinInParts(entries: Iterable<FilterEntry>, join: RouteJoin): () => boolean {
  const iterator = entries[Symbol.iterator]();
  let entry: FilterEntry | undefined;
  let next = 0;
  return () => {
    for (let i = 0; i < PART; i++) {
      const subscription = entry?.subscriptions[next++];
      if (subscription) join.add(subscription);
      else {
        const { done, value } = iterator.next();
        if (done) return true;
        entry = value;
        next = 0;
        join.addGroups(value);
      }
    }
    return false;
  };
}
