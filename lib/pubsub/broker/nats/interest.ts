import type { Msg, Subscription as NatsSubscription } from "@nats-io/transport-node";
import type { Refusal } from "../../protocol/codes.ts";
import { FilterTree } from "../../protocol/filter_tree.ts";
import { quote } from "../../protocol/quote.ts";
import { messageOf } from "../../../base/message_of.ts";
import type { NatsLink } from "./nats_link.ts";

/** How many nodes of the tree of filters are looked at to find those that match a subject. */
const MAX_NODES = 20_000;

/** A subscription at NATS for one filter, however many clients have it. */
export interface OpenFilter {
  readonly filter: string;
  /** When it was made and ended, in steps of a clock that goes on with each of these. */
  readonly openedAt: number;
  closedAt: number;
  /** How often it was opened and not closed. */
  opens: number;
  /** Resolves once it is in force, to why it is refused if it is. */
  ready: Promise<Refusal | undefined>;
  subscription: NatsSubscription | undefined;
  /** By gateway: the number of its last counter when this was in force. */
  readonly since: Map<string, number>;
}

/** What an {@linkcode Interest} is told of. */
export interface InterestHandler {
  /** A message came by a filter. */
  received(via: OpenFilter, message: Msg): void;
  /** A message came for a member of a group. */
  receivedForGroup(filter: string, group: string, message: Msg): void;
  /** Resolves once all other gateways know what was subscribed to on a link, and tells from when on. */
  inForce(link: NatsLink): Promise<ReadonlyMap<string, number>>;
}

/** What this gateway has subscribed to at NATS. */
export class Interest {
  readonly #link: NatsLink;
  readonly #groupLink: NatsLink;
  readonly #handler: InterestHandler;
  readonly #filters = new FilterTree<OpenFilter>();
  /** By group and filter, one for each member. */
  readonly #members = new Map<string, NatsSubscription[]>();
  #clock = 0;

  /**
   * @param link Brings publications that are not for groups.
   * @param groupLink Brings those for groups.
   */
  constructor(link: NatsLink, groupLink: NatsLink, handler: InterestHandler) {
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
    opened.subscription = this.#link.connection.subscribe(filter, {
      callback: (error, message) => {
        if (error === null) this.#handler.received(opened, message);
        else {
          this.#end(opened);
          refused.resolve(refusalOf(filter, error));
        }
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
    drain(known.subscription);
  }

  /** Subscribes for one more member of a group. */
  async join(filter: string, group: string): Promise<Refusal | undefined> {
    const link = this.#groupLink;
    const refused = Promise.withResolvers<Refusal>();
    const key = keyOf(filter, group);
    const subscription = link.connection.subscribe(filter, {
      queue: group,
      callback: (error, message) => {
        if (error === null) this.#handler.receivedForGroup(filter, group, message);
        else refused.resolve(refusalOf(filter, error));
      },
    });
    const members = this.#members.get(key) ?? [];
    members.push(subscription);
    this.#members.set(key, members);
    const refusal = await Promise.race([refused.promise, this.#openedOn(link)]);
    if (refusal) this.leave(filter, group);
    return refusal;
  }

  /** Ends the subscription of one member of a group. */
  leave(filter: string, group: string): void {
    const key = keyOf(filter, group);
    const members = this.#members.get(key);
    drain(members?.pop());
    if (members?.length === 0) this.#members.delete(key);
  }

  #end(opened: OpenFilter): void {
    if (this.#filters.get(opened.filter) === opened) this.#filters.delete(opened.filter);
    opened.closedAt = ++this.#clock;
  }

  async #openedOn(link: NatsLink, since?: Map<string, number>): Promise<undefined> {
    for (const [gateway, last] of await this.#handler.inForce(link)) since?.set(gateway, last);
  }
}

/** What is on its way to it still comes. */
function drain(subscription: NatsSubscription | undefined): void {
  if (subscription === undefined || subscription.isClosed()) return;
  subscription.drain().catch(() => {
    // The connection is closed.
  });
}

function keyOf(filter: string, group: string): string {
  return `${group} ${filter}`;
}

function refusalOf(filter: string, error: Error): Refusal {
  const message = `NATS does not let this broker subscribe to ${quote(filter)}: ${
    messageOf(error)
  }`;
  return { code: "forbidden", message };
}
