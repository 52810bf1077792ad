import { Budget } from "../../base/budget.ts";
import { FairQueue } from "../../base/fair_queue.ts";
import type { Pause } from "../../base/in_steps.ts";
import type { Frame, HeaderInit } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import { HeaderCache } from "../../frame/header.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { SharedMemory } from "../../net/bytes/shared_memory.ts";
import type { Authenticator, Principal } from "../../access/mod.ts";
import { SYSTEM_PREFIX } from "../protocol/topic.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import {
  type BrokerLimits,
  type BrokerObserver,
  brokerObserver,
  type BrokerOptions,
  checkBrokerOptions,
  resolveBrokerLimits,
} from "./broker_options.ts";
import type { BrokerFigures, Counters } from "./broker_stats.ts";
import type { SubscriptionAccount } from "./connection_subscriptions.ts";
import type { Outbox } from "./delivery/outbox.ts";
import { SendList } from "./delivery/send_list.ts";
import { ANONYMOUS } from "./routing/rights.ts";
import { Inboxes } from "./routing/inboxes.ts";
import { PublicationCounters } from "./routing/publication_counters.ts";
import { Publications } from "./routing/publications.ts";
import { RequestTime } from "./request_time.ts";
import { Retained } from "./routing/retained.ts";
import type { Route } from "./routing/route.ts";
import { Router } from "./routing/router.ts";
import { SpeedMemory } from "./routing/speed_memory.ts";
import { Run } from "./routing/run.ts";
import type { StreamStore } from "./streams/stream_store.ts";
import { isCompletedBy } from "./routing/limited_delivery.ts";
import { encodeJson, PublicationsInTurn } from "./publications_in_turn.ts";
import {
  endCompleted,
  HandingOut,
  handTo,
  handToGroup,
  isShared,
  takesLong,
} from "./delivery/hand_out.ts";
import type { SharedBackplane } from "./backplane.ts";
import { OutsidePublications } from "./outside_publications.ts";
import type { Group, Receiver, Subscription } from "./routing/subscription.ts";

/** Headers that all connections remember together: 1 MiB. */
const SHARED_HEADERS = 4_096;

const DRAIN_TIMEOUT_MS = 5_000;

/** How many looks for many retained frames are under way at the same time. */
const WALKS = { atOnce: 4, maxWaiting: Infinity, maxWaitingPerKey: Infinity };

/** The share of the memory for filters that one principal's filters may take. */
const PRINCIPAL_SHARE = 1 / 2;

const NO_GROUPS: readonly Group[] = [];

/** What all clients of a principal share. */
export interface Account extends SubscriptionAccount {
  principal: Principal;
  publications: Publications;
  /** How many connections there are. */
  connections: number;
}

/** What the sessions of a broker share, and how publications get from one to the others. */
export class BrokerCore {
  readonly limits: BrokerLimits;
  readonly observer: BrokerObserver;
  readonly authenticator: Authenticator | undefined;
  /** Whether the policy `block` is permitted. */
  readonly allowBlock: boolean;
  /** The whole broker in figures. */
  readonly figures: BrokerFigures;
  readonly router: Router;
  /** Other brokers that serve the same topics, where there may be some. */
  readonly shared: SharedBackplane | undefined;
  /** Keeps publications, where the broker has a store. */
  readonly streams: StreamStore | undefined;
  /**
   * Sends what is in the outboxes, once everything that runs at this moment has been handed out.
   */
  readonly flushSoon: () => void;
  /** What filters matched, for clients that come back. */
  readonly publicationCounters: PublicationCounters;
  /** What is published that no client waits for. */
  readonly inTurn: PublicationsInTurn = new PublicationsInTurn(this);
  readonly retained: Retained;
  /** Looks for retained frames that take long: each holds what it has found. */
  readonly walks: FairQueue = new FairQueue(WALKS);
  readonly headerCache: HeaderCache = new HeaderCache(SHARED_HEADERS);
  /** Where the replies to requests of connections go. */
  readonly inboxes: Inboxes;
  /** The outboxes that have something to send. */
  readonly sendList: SendList;
  /** Totals over all connections. An open connection's deliveries are added when it closes. */
  readonly counters: Counters = {
    published: 0,
    publishedBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    missed: 0,
    errors: 0,
    overBudget: 0,
    subscriptions: 0,
  };
  /** Unique to this start of the broker. */
  readonly #epoch = crypto.randomUUID();
  /** How long connections may take to finish when the broker drains. */
  drainTimeoutMs: number;
  /** Lets others be served in the middle of long work; `undefined` if they just were. */
  readonly pause: Pause;
  readonly requestTime: RequestTime = new RequestTime();
  readonly #filters: Budget;
  readonly #speed: SpeedMemory;
  readonly #accounts = new Map<Principal, Account>();
  readonly #run = new Run();
  readonly #completed: Subscription[] = [];
  /** The client that sent something last, and whether another has since that was asked for. */
  #lastHeard = 0;
  #areOthersHeard = false;

  /**
   * @param pause Lets others be served in the middle of long work.
   * @throws {TypeError | RangeError} if an option is not what it has to be, or limits contradict each
   * other.
   */
  constructor(options: BrokerOptions, figures: BrokerFigures, pause: Pause) {
    this.pause = pause;
    checkBrokerOptions(options);
    this.limits = resolveBrokerLimits(options);
    this.drainTimeoutMs = timerMs("drainTimeoutMs", options.drainTimeoutMs, DRAIN_TIMEOUT_MS);
    this.observer = brokerObserver(options);
    this.authenticator = options.authenticator;
    this.allowBlock = options.allowBlock ?? false;
    this.figures = figures;
    this.inboxes = new Inboxes(this.authenticator !== undefined);
    this.#speed = new SpeedMemory(this.limits.maxSpeedBytes);
    this.router = new Router(this.#speed, pause);
    this.publicationCounters = new PublicationCounters(this.router, this.#epoch);
    this.retained = new Retained(this.limits.maxRetainedBytes);
    this.#filters = new Budget("all clients", this.limits.maxFilterBytes);
    const { observer } = this;
    this.sendList = new SendList(
      this.limits.patienceMs,
      this.limits.maxBacklogBytes,
      pause,
      observer.deliveryTimed && ((ms) => observer.deliveryTimed?.(ms)),
    );
    let isFlushing = false;
    this.flushSoon = () => {
      if (isFlushing) return;
      isFlushing = true;
      queueMicrotask(() => {
        isFlushing = false;
        void this.sendList.flushAll();
      });
    };
    const { backplane } = options;
    if (backplane && options.streams) {
      throw new TypeError("Cannot use streams beside a backplane: that keeps streams itself");
    }
    this.shared = backplane?.shared;
    this.streams = backplane ? backplane.streams : options.streams;
    if (this.shared) {
      const { shared } = this;
      this.router.onRemoved = (filter, group) => shared.close(filter, group);
    }
    if (this.streams) this.#serveStreams(this.streams);
    backplane?.attach(new OutsidePublications(this));
  }

  /** The principal of clients that need not log in. */
  get anonymous(): Principal | undefined {
    return this.authenticator ? undefined : ANONYMOUS;
  }

  /** What the answer to `hello` says. */
  get welcome(): HeaderInit {
    return {
      server: "socktool",
      version: PROTOCOL_VERSION,
      "max-content-length": this.limits.maxContentBytes,
      "ping-interval-ms": this.limits.pingIntervalMs,
      epoch: this.#epoch,
    };
  }

  /** Bytes that caches take, approximately. */
  get speedBytes(): number {
    return this.#speed.usedBytes;
  }

  /** Bytes that all filters and groups take, approximately. */
  get filterBytes(): number {
    return this.#filters.usedBytes;
  }

  /**
   * The account that all clients of a principal share. One more connection is counted on it, until
   * `leave` is called.
   *
   * @param before The account of the principal that the connection had before: it moves to the new
   * one.
   */
  enter(principal: Principal, before?: Account): Account {
    let account = this.#accounts.get(principal);
    if (account === undefined && before) {
      // The first connection that moves takes the account along, so that its limits hold for all of
      // them meanwhile.
      this.#accounts.delete(before.principal);
      before.principal = principal;
      before.publications.close();
      before.publications = this.#publicationsOf(principal);
      account = before;
    }
    account ??= this.#open(principal);
    this.#accounts.set(principal, account);
    if (account === before) return account;
    account.connections++;
    if (before) this.leave(before);
    return account;
  }

  /** Notes that a client has sent something. @param id Names its connection. */
  heard(id: number): void {
    if (id === this.#lastHeard) return;
    this.#lastHeard = id;
    this.#areOthersHeard = true;
  }

  /** Called when a connection ends. */
  leave(account: Account): void {
    if (--account.connections > 0) return;
    this.#accounts.delete(account.principal);
    account.publications.close();
  }

  #publicationsOf(principal: Principal): Publications {
    const visited = (nodes: number) => this.router.visited(nodes);
    const streamOf = (topic: string) => this.streams?.streamOf(topic, visited);
    return new Publications(this.router, principal, this.#speed, streamOf, this.shared);
  }

  #open(principal: Principal): Account {
    const share = this.authenticator ? PRINCIPAL_SHARE : 1;
    return {
      principal,
      connections: 0,
      publications: this.#publicationsOf(principal),
      filters: new Budget(principal.name, this.#filters.maxBytes * share, this.#filters),
      subscriptions: 0,
      memberships: 0,
    };
  }

  #serveStreams(store: StreamStore): void {
    for (const { topic, frame } of store.takeRetained()) this.retained.set(topic, frame);
    store.events = {
      isAlone: () => {
        const isAlone = !this.#areOthersHeard;
        this.#areOthersHeard = false;
        return isAlone;
      },
      topicsChanged: () => this.router.changed(),
      deadLetter: (topic, frame) => {
        const bytes = () => frame as Uint8Array<ArrayBuffer>;
        void this.inTurn.publish(topic, bytes);
      },
      retainedWaits: (error) => this.observer.retainedWaits?.(error),
      failed: (error) => this.observer.storageFailed?.(error),
    };
  }

  /**
   * Hands the frames `frames[first, last)`, which lie one behind the other in `memory`, to all
   * receivers of the route. The next flush of the send list sends them.
   *
   * @param publisher The connection that published them; `undefined` for the broker itself.
   * @returns How many connections they are on their way to. Where it takes long, a promise of that:
   * the frames must stay as they are until it resolves.
   */
  forward(
    memory: SharedMemory,
    frames: readonly Frame[],
    first: number,
    last: number,
    route: Route,
    publisher?: Receiver,
  ): number | Promise<number> {
    const run = this.#run;
    run.set(memory, frames, first, last);
    this.counters.published += last - first;
    this.counters.publishedBytes += run.end - run.start;
    // Members that other brokers have get their share too: what is for a group comes back from there.
    const groups = this.shared === undefined ? route.groups : NO_GROUPS;
    const { subscriptions } = route;
    if (takesLong(run, subscriptions.length, groups.length, route.overlaps)) {
      const handingOut = new HandingOut(run, subscriptions, groups, publisher);
      run.clear();
      return handingOut.run(this.pause, () => this.sendList.putOff());
    }
    run.isShared = isShared(subscriptions.length);
    let receivers = 0;
    // A connection counts once, even if it gets the frames by several subscriptions or groups.
    const counted = groups.length > 0 ? new Set<Receiver>() : undefined;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      const added = handTo(subscription, run, publisher, this.#completed);
      if (added === 0) continue;
      if (counted) counted.add(subscription.receiver);
      else receivers++;
    }
    for (const group of groups) handToGroup(group, run, publisher, counted!);
    run.clear();
    // Only now: the lists iterated above must not change before.
    endCompleted(this.#completed);
    return counted?.size ?? receivers;
  }

  /** Hands publications that other brokers brought to members of a group: each to one. */
  forwardToGroup(memory: SharedMemory, frames: readonly Frame[], group: Group): void {
    const run = this.#run;
    run.set(memory, frames, 0, frames.length);
    handToGroup(group, run, undefined, new Set());
    run.clear();
  }

  /** Tells the receivers of a route that publications were lost on the way from another broker. */
  tellLost({ subscriptions }: Route, count: number, atLeast: boolean): void {
    const completed: Subscription[] = [];
    for (const subscription of subscriptions) {
      if (subscription.limits === undefined) {
        subscription.receiver.lost(subscription, count, atLeast);
        continue;
      }
      for (const one of subscription.overlapping ?? [subscription]) {
        const some = Math.min(count, one.limits?.left ?? Infinity);
        one.receiver.lost(one, some, atLeast);
        if (isCompletedBy(one, some)) completed.push(one);
      }
    }
    for (const one of completed) one.receiver.completed(one);
  }

  /** Counts what a connection got that has ended. */
  countEnded({ delivered, deliveredBytes, missed }: Outbox): void {
    this.counters.delivered += delivered;
    this.counters.deliveredBytes += deliveredBytes;
    this.counters.missed += missed;
  }

  /** Keeps a frame as its topic's last value, or forgets that one; `false` if there is no room. */
  retain(topic: string, frame: Frame): boolean {
    const isEmpty = frame.header["content-length"] === 0;
    if (isEmpty) this.retained.clear(topic);
    else if (!this.retained.set(topic, frame.bytes)) return false;
    this.streams?.retain(topic, isEmpty ? undefined : frame.bytes.slice());
    return true;
  }

  /**
   * Publishes a value of the broker's own as JSON. Resolves once it is handed to the outboxes.
   *
   * @param value Is not called if nobody subscribes to the topic.
   */
  async publish(topic: string, value: () => unknown): Promise<void> {
    await this.publishFrame(topic, () => encodeJson(topic, value()));
  }

  /**
   * Publishes a frame that no connection sends; resolves once it is handed out. The next
   * `flushAll` of the send list sends it.
   *
   * @param frame Makes the frame; it is not called if nobody subscribes to the topic.
   * @param publisher The connection on whose behalf it is published.
   * @param isCarried Whether other brokers get it in another way.
   * @returns How many connections it is on its way to.
   */
  async publishFrame(
    topic: string,
    frame: () => Uint8Array<ArrayBuffer>,
    publisher?: Receiver,
    isCarried = false,
  ): Promise<number> {
    let route = this.router.find(topic);
    while (route === undefined) {
      await this.router.search(topic);
      route = this.router.find(topic);
    }
    const isLocal = isCarried || topic.startsWith(SYSTEM_PREFIX);
    const outward = isLocal ? undefined : this.shared;
    if (route.subscriptions.length + route.groups.length === 0 && outward === undefined) return 0;
    const bytes = frame();
    const { frames } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
    outward?.publish(frames, 0, 1);
    const forwarding = this.forward(new SharedMemory(bytes), frames, 0, 1, route, publisher);
    this.sendList.putOff();
    return await forwarding;
  }
}
