import {
  encodeFrame,
  type Frame,
  FrameDecoder,
  HeaderCache,
  type HeaderInit,
} from "../../frame/mod.ts";
import { SharedMemory } from "../../net/mod.ts";
import type { Authenticator } from "../../access/authenticator.ts";
import { type BrokerLimits, type BrokerObserver } from "./broker_options.ts";
import type { BrokerStats, Counters } from "./broker_stats.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import type { Outbox, OutboxOwner } from "./delivery/outbox.ts";
import { Patience } from "./delivery/patience.ts";
import { ANONYMOUS, type Principal } from "../../access/principal.ts";
import { Publications } from "./routing/publication.ts";
import { Retained } from "./routing/retained.ts";
import { type Route, Router } from "./routing/router.ts";
import { Run } from "./delivery/run.ts";
import type { Session } from "./session.ts";
import { pickMember } from "./routing/subscription.ts";
import { answerSystemTopic } from "./system_topics.ts";

/** Headers that all connections remember together: 1 MiB. */
const SHARED_HEADERS = 4_096;

/** What the sessions of a broker share, and how publications get from one to the others. */
export class BrokerCore implements OutboxOwner {
  readonly limits: BrokerLimits;
  readonly observer: BrokerObserver;
  readonly authenticator: Authenticator | undefined;
  readonly allowBlock: boolean;
  /** The whole broker in figures. */
  readonly stats: () => BrokerStats;
  readonly router: Router = new Router();
  readonly retained: Retained;
  readonly headerCache: HeaderCache = new HeaderCache(SHARED_HEADERS);
  readonly sessions: Map<Outbox, Session> = new Map();
  /** What is counted of connections; open ones count their deliveries themselves. */
  readonly counters: Counters = {
    published: 0,
    publishedBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    missed: 0,
    errors: 0,
    subscriptions: 0,
  };
  readonly #patience: Patience;
  readonly #publications = new Map<Principal, Publications>();
  readonly #run = new Run();
  #touched: Outbox[] = [];
  #overflowed: Outbox[] = [];

  constructor(
    limits: BrokerLimits,
    observer: BrokerObserver,
    authenticator: Authenticator | undefined,
    allowBlock: boolean,
    stats: () => BrokerStats,
  ) {
    this.stats = stats;
    this.limits = limits;
    this.observer = observer;
    this.authenticator = authenticator;
    this.allowBlock = allowBlock;
    this.retained = new Retained(limits.maxRetainedBytes);
    this.#patience = new Patience(limits.patienceMs, (outbox) => {
      const session = this.sessions.get(outbox);
      if (session) observer.slow?.(session.figures);
    });
  }

  /** Who clients are that need not say. */
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
    };
  }

  /** Shared by all clients of a principal. */
  publicationsOf(principal: Principal): Publications {
    let publications = this.#publications.get(principal);
    if (publications === undefined) {
      publications = new Publications(this.router, principal);
      this.#publications.set(principal, publications);
    }
    return publications;
  }

  /**
   * Hands the frames `frames[first, last)`, which lie one behind the other in `memory`, to all
   * whom the route names. They are sent by the next {@linkcode BrokerCore.flush}.
   *
   * @returns To how many connections they are on their way.
   */
  forward(
    memory: SharedMemory,
    frames: readonly Frame[],
    first: number,
    last: number,
    route: Route,
  ): number {
    const run = this.#run;
    run.set(memory, frames, first, last);
    this.counters.published += last - first;
    this.counters.publishedBytes += run.end - run.start;
    const { subscriptions, groups } = route;
    let receivers = 0;
    for (let i = 0; i < subscriptions.length; i++) {
      const subscription = subscriptions[i]!;
      if (subscription.outbox.add(run, subscription) > 0) receivers++;
    }
    for (const group of groups) {
      for (let i = first; i < last; i++) {
        const member = pickMember(group);
        if (member.outbox.addGrouped(run, i, member, group) > 0) receivers++;
      }
    }
    run.clear();
    return receivers;
  }

  /**
   * Starts to send what was handed out.
   *
   * @returns What the publisher should wait for; `undefined` if all receivers keep up.
   */
  flush(): Promise<void> | undefined {
    const touched = this.#touched;
    if (touched.length === 0) return undefined;
    let congested: Outbox[] | undefined;
    for (const outbox of touched) {
      outbox.flush();
      if (outbox.congested && (outbox.patient || outbox.blocking > 0)) {
        (congested ??= []).push(outbox);
      }
    }
    const receivers = touched.length;
    touched.length = 0;
    if (this.#overflowed.length > 0) this.#endOverflowed();
    return congested && this.#patience.wait(congested, receivers);
  }

  /** Keeps a frame as its topic's last, or forgets that one; `false` if there is no room. */
  retain(topic: string, frame: Frame): boolean {
    if (frame.header["content-length"] > 0) return this.retained.set(topic, frame.bytes);
    this.retained.clear(topic);
    return true;
  }

  /** Publishes something of the broker's own. */
  publish(topic: string, header: HeaderInit, content: string): void {
    const bytes = encodeFrame({ header: { ...header, op: "pub", topic }, content });
    const { frames } = new FrameDecoder({ maxContentBytes: Infinity }).decode(bytes);
    this.forward(new SharedMemory(bytes), frames, 0, 1, this.router.find(topic));
  }

  /** Answers a publication to a topic of the broker's own. */
  answerSystem(session: Session, frame: Frame, id: number | undefined): void {
    answerSystemTopic(session, this, frame, id);
  }

  touched(outbox: Outbox): void {
    this.#touched.push(outbox);
  }

  relieved(outbox: Outbox): void {
    this.#patience.release(outbox);
  }

  overflowed(outbox: Outbox): void {
    this.#overflowed.push(outbox);
  }

  // Not where they overflow: ending changes the lists that are being gone through there.
  #endOverflowed(): void {
    const overflowed = this.#overflowed;
    this.#overflowed = [];
    for (const outbox of overflowed) this.sessions.get(outbox)?.end("slow-consumer");
  }
}
