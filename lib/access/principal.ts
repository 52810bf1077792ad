import { filterCovers, filtersOverlap, INBOX_PREFIX, isSystem } from "../pubsub/protocol/topic.ts";

/** Filters that are allowed, and those that are denied all the same. */
export interface Permission {
  /** Filters; without one that fits, nothing is allowed. */
  readonly allow: readonly string[];
  /** Filters that take away what `allow` gives. */
  readonly deny: readonly string[];
}

/** Who a client is, and what it may do. */
export class Principal {
  /** Its name in the authentication file; `anonymous` where there is none. */
  readonly name: string;
  readonly #publish: Permission;
  readonly #subscribe: Permission;

  /** The filters are valid. */
  constructor(name: string, publish: Permission, subscribe: Permission) {
    this.name = name;
    this.#publish = publish;
    this.#subscribe = subscribe;
  }

  /** Whether it may publish on a topic. Replies to an inbox are for all who are not denied them. */
  mayPublish(topic: string): boolean {
    const { allow, deny } = this.#publish;
    if (deny.some((filter) => filterCovers(filter, topic))) return false;
    return topic.startsWith(INBOX_PREFIX) || allow.some((filter) => filterCovers(filter, topic));
  }

  /**
   * Whether it may subscribe to a filter: one that is allowed covers it, and none that is denied
   * has a topic in common with it.
   */
  maySubscribe(filter: string): boolean {
    const { allow, deny } = this.#subscribe;
    if (deny.some((denied) => filtersOverlap(denied, filter))) return false;
    return isInboxFilter(filter) || allow.some((allowed) => filterCovers(allowed, filter));
  }
}

/** A client of a broker without authentication. */
export const ANONYMOUS: Principal = new Principal(
  "anonymous",
  { allow: [">", "_sys.>"], deny: [] },
  { allow: [">"], deny: [] },
);

/** An inbox's name is a secret of who made it: only who knows it whole can subscribe to it. */
function isInboxFilter(filter: string): boolean {
  if (!isSystem(filter)) return false;
  const [first, second] = filter.split(".");
  return `${first}.` === INBOX_PREFIX && second !== undefined && second !== "*" && second !== ">";
}
