import type { Refusal } from "../../protocol/codes.ts";
import { FilterTree } from "../../protocol/filter_tree.ts";
import { quote } from "../../protocol/quote.ts";
import type { CoreLink } from "./core_link.ts";
import type { CoreSubscription } from "./wire/core_subscriptions.ts";
import type { NatsMessage } from "./wire/nats_message.ts";

/** How many nodes of the tree of filters are looked at to find those that match a subject. */
const MAX_NODES = 20_000;

/** A subscription at NATS for one filter, however many clients have it. */
export interface OpenFilter {
  readonly filter: string;
  /** When it was made and ended, by a clock that advances whenever a filter is. */
  readonly openedAt: number;
  closedAt: number;
  /** How often it was opened and not closed. */
  opens: number;
  /** Resolves once it is in force, to why it is refused if it is. */
  ready: Promise<Refusal | undefined>;
  subscription: CoreSubscription | undefined;
  /** By gateway: the number of its last counter when this was in force. */
  readonly since: Map<string, number>;
}

/** The members of a group on one filter, of this broker. */
export interface GroupInterest {
  readonly filter: string;
  readonly group: string;
  /** One for each member. */
  readonly subscriptions: CoreSubscription[];
}

/** What an {@linkcode Interest} is told of. */
export interface InterestHandler {
  /** A message came by a filter. */
  received(via: OpenFilter, message: NatsMessage): void;
  /** A message came for a member of a group. */
  receivedForGroup(group: GroupInterest, message: NatsMessage): void;
  /** Resolves once all other gateways know what was subscribed to on a link, and tells from when on. */
  inForce(link: CoreLink): Promise<ReadonlyMap<string, number>>;
}

/** What this gateway has subscribed to at NATS. */
export class Interest {
  readonly #link: CoreLink;
  readonly #groupLink: CoreLink;
  readonly #handler: InterestHandler;
  readonly #filters = new FilterTree<OpenFilter>();
  /** By group and filter. */
  readonly #groups = new Map<string, GroupInterest>();
  #clock = 0;

  /**
   * @param link Brings publications that are not for groups.
   * @param groupLink Brings those for groups.
   */
  constructor(link: CoreLink, groupLink: CoreLink, handler: InterestHandler) {
    this.#link = link;
    this.#groupLink = groupLink;
    this.#handler = handler;
  }

  /** Changes whenever a filter is opened or closed. */
  get generation(): number {
    return this.#clock;
  }

  /** The filter whose copy of a message counts, of all that match its subject: the oldest. */
  primary(subject: string): OpenFilter | undefined {
    const found: OpenFilter[] = [];
    this.#filters.match(subject, found, MAX_NODES);
    let oldest: OpenFilter | undefined;
    for (const each of found) {
      if (oldest === undefined || each.openedAt < oldest.openedAt) oldest = each;
    }
    return oldest;
  }

  /** Subscribes, or counts one more who wants the same. */
  open(filter: string): Promise<Refusal | undefined> {
    const known = this.#filters.get(filter);
    if (known) {
      known.opens++;
      return known.ready;
    }
    const opened: OpenFilter = {
      filter,
      openedAt: ++this.#clock,
      closedAt: Infinity,
      opens: 1,
      ready: Promise.resolve(undefined),
      subscription: undefined,
      since: new Map(),
    };
    this.#filters.set(filter, opened);
    const refused = Promise.withResolvers<Refusal>();
    opened.subscription = this.#link.subscribe(filter, {
      received: (message) => this.#handler.received(opened, message),
      refused: (reason) => {
        this.#end(opened);
        refused.resolve(refusalOf(filter, reason));
      },
    });
    opened.ready = Promise.race([refused.promise, this.#openedOn(this.#link, opened.since)]);
    return opened.ready;
  }

  /** Ends it for one who wanted it. */
  close(filter: string): void {
    const known = this.#filters.get(filter);
    if (known === undefined || --known.opens > 0) return;
    this.#end(known);
    this.#link.unsubscribe(known.subscription!);
  }

  /** Subscribes for one more member of a group. */
  async join(filter: string, name: string): Promise<Refusal | undefined> {
    const link = this.#groupLink;
    const refused = Promise.withResolvers<Refusal>();
    const key = keyOf(filter, name);
    const group = this.#groups.get(key) ?? { filter, group: name, subscriptions: [] };
    this.#groups.set(key, group);
    group.subscriptions.push(
      link.subscribe(filter, {
        received: (message) => this.#handler.receivedForGroup(group, message),
        refused: (reason) => refused.resolve(refusalOf(filter, reason)),
      }, name),
    );
    const refusal = await Promise.race([refused.promise, this.#openedOn(link)]);
    if (refusal) this.leave(filter, name);
    return refusal;
  }

  /** Ends the subscription of one member of a group. */
  leave(filter: string, name: string): void {
    const key = keyOf(filter, name);
    const { subscriptions = [] } = this.#groups.get(key) ?? {};
    const member = subscriptions.pop();
    if (member) this.#groupLink.unsubscribe(member);
    if (subscriptions.length === 0) this.#groups.delete(key);
  }

  #end(opened: OpenFilter): void {
    if (this.#filters.get(opened.filter) === opened) this.#filters.delete(opened.filter);
    opened.closedAt = ++this.#clock;
  }

  async #openedOn(link: CoreLink, since?: Map<string, number>): Promise<undefined> {
    for (const [gateway, last] of await this.#handler.inForce(link)) since?.set(gateway, last);
  }
}

function keyOf(filter: string, group: string): string {
  return `${group} ${filter}`;
}

function refusalOf(filter: string, reason: string): Refusal {
  const message = `NATS does not let this broker subscribe to ${quote(filter)}: ${reason}`;
  return { code: "forbidden", message };
}
