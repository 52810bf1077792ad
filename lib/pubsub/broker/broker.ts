import { inSteps, visitInParts } from "../../base/in_steps.ts";
import { LimitLook, PeriodicLook, tickMs } from "../../base/periodic_look.ts";
import type { Address, Connection, Listener, ListenOptions } from "../../net/mod.ts";
import { timerMs } from "../../base/timer_ms.ts";
import { ConnectionError } from "../../net/connection_error.ts";
import { serveConnections, type Server } from "../../net/serve.ts";
import { serveOn, type ServeTarget } from "../../net/serve_on.ts";
import { BrokerCore } from "./broker_core.ts";
import type { BrokerOptions } from "./broker_options.ts";
import type {
  BrokerConnection,
  BrokerFigures,
  BrokerStats,
  ConnectionSource,
} from "./broker_stats.ts";
import { streamWork } from "./operations.ts";
import { type BrokerOverview, overviewOf } from "./overview.ts";
import type { Principal } from "../../access/mod.ts";
import type { Refusal } from "../protocol/codes.ts";
import { writeControl } from "../protocol/control_frame.ts";
import { tellDisconnected } from "./presence.ts";
import { Session } from "./session.ts";

/** After this many pings without an answer a connection ends. */
const MAX_PINGS = 3;

/** How often to look whether the rights of quiet clients have changed, in milliseconds. */
const RIGHTS_LOOK_MS = 250;

/** How often to look for filters that are counted for nobody. */
const COUNTERS_LOOK_MS = 60_000;

/** Clients to check before looking at the clock again. */
const RIGHTS_PART = 10;

/** A broker at work. */
export class Broker implements AsyncDisposable {
  readonly #core: BrokerCore;
  readonly #sessions = new Set<Session>();
  readonly #server: Server;
  readonly #startedAt = performance.now();
  #looksAtRights = false;

  /** Made by {@linkcode serveBroker}. */
  constructor(listener: Listener, options: BrokerOptions) {
    const figures: BrokerFigures = {
      stats: () => this.stats(),
      sources: (): Iterable<ConnectionSource> => this.#sessions,
    };
    this.#core = new BrokerCore(options, figures, () => this.#server.turn());
    this.#server = serveConnections(listener, {
      serve: (connection) => this.#serve(connection),
      refuse: refuseConnection,
    }, {
      maxConnections: options.maxConnections,
      maxMemoryBytes: options.maxMemoryBytes,
      maxUnfinishedBytes: options.maxUnfinishedBytes,
      maxUnreadBytes: options.maxUnreadBytes,
      frameTimeoutMs: options.frameTimeoutMs,
      drainTimeoutMs: this.#core.drainTimeoutMs,
      signal: options.signal,
      // A subscriber is quiet for as long as nothing is published: pings find out if it is there.
      idleTimeoutMs: 0,
      firstByteTimeoutMs: 0,
      observer: {
        acceptFailed: (error) => this.#core.observer.acceptFailed?.(error),
      },
    });
    // At once: without a file descriptor left, Deno 2.9 ends when it loads a module. Where it fails, the
    // clients are told that need it.
    if (this.#core.streams) streamWork.load().catch(() => {});
    const { limits: { pingIntervalMs, helloTimeoutMs }, authenticator } = this.#core;
    const tick = tickMs(pingIntervalMs, authenticator ? helloTimeoutMs : Infinity);
    const looks = [
      new LimitLook(tick, (now) => this.#look(now)),
      new PeriodicLook(authenticator ? RIGHTS_LOOK_MS : Infinity, () => this.#lookAtRights()),
      new PeriodicLook(COUNTERS_LOOK_MS, (now) => this.#core.publicationCounters.forgetIdle(now)),
    ];
    for (const look of looks) look.start();
    void this.#server.finished.then(() => looks.forEach((look) => look.stop()));
  }

  /** Where it listens. */
  get address(): Address {
    return this.#server.address;
  }

  /** Resolves when it has ended: the listener and all connections are closed. Never rejects. */
  get finished(): Promise<void> {
    return this.#server.finished;
  }

  /** How many connections did not finish before the time for draining was up. */
  get forced(): number {
    return this.#server.forced;
  }

  /** The broker in figures, as of this moment. */
  stats(): BrokerStats {
    const { counters, router, retained, limits } = this.#core;
    const { unfinishedBytes, unreadBytes } = this.#server.memory;
    let { delivered, deliveredBytes, missed } = counters;
    let pendingBytes = 0;
    for (const { outbox } of this.#sessions) {
      delivered += outbox.delivered;
      deliveredBytes += outbox.deliveredBytes;
      missed += outbox.missed;
      pendingBytes += outbox.pendingBytes;
    }
    return {
      uptimeMs: Math.round(performance.now() - this.#startedAt),
      connections: this.#sessions.size,
      accepted: this.#server.accepted,
      refused: this.#server.refused,
      filters: router.filters - this.#core.publicationCounters.idle,
      subscriptions: counters.subscriptions,
      retained: retained.size,
      retainedBytes: retained.bytes,
      pendingBytes,
      backlogBytes: this.#core.sendList.backlogs.usedBytes,
      filterBytes: this.#core.filterBytes,
      speedBytes: this.#core.speedBytes,
      unfinishedBytes,
      unreadBytes,
      maxMemoryBytes: limits.maxMemoryBytes,
      overBudget: counters.overBudget,
      published: counters.published,
      publishedBytes: counters.publishedBytes,
      delivered,
      deliveredBytes,
      missed,
      errors: counters.errors,
      streams: this.#core.streams?.totals,
      backplane: this.#core.shared?.figures,
    };
  }

  /** Its open connections in figures. */
  connections(): BrokerConnection[] {
    return [...this.#sessions].map((session) => session.figures);
  }

  /**
   * The broker at one glance: figures, its slowest connections, topics, and streams with their
   * consumers, as far as somebody may ask for them on the wire.
   *
   * @param limit How many connections are told.
   * @param principal Who asks. Without it, somebody who may ask for everything.
   * @returns Or why the user may not ask for the broker's figures.
   */
  overview(limit: number, principal?: Principal): Promise<BrokerOverview | Refusal> {
    return overviewOf(this.#core, limit, principal);
  }

  /**
   * Ends in order: accepts no connection and reads no publication any more, delivers what waits,
   * says `bye` to all. What is left when the time is up is closed by force.
   *
   * @param timeoutMs Without it, the option `drainTimeoutMs`. `0` closes at once.
   * @throws {TypeError | RangeError} if it is no number of milliseconds; nothing is done then.
   */
  async drain(timeoutMs?: number): Promise<void> {
    const { drainTimeoutMs } = this.#core;
    this.#core.drainTimeoutMs = timerMs("timeoutMs", timeoutMs, drainTimeoutMs);
    await this.#server.drain(timeoutMs);
  }

  /** Closes everything at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #serve(connection: Connection): Promise<void> {
    const session = new Session(connection, this.#core);
    this.#sessions.add(session);
    this.#core.observer.connected?.(session.figures);
    return new Promise((resolve, reject) => {
      session.serve((failure) => {
        const end = () => failure === undefined ? resolve() : reject(failure);
        // Until others are told, the connection counts: so no more of them wait for that than there may
        // be connections.
        const told = this.#served(session, failure);
        if (told) void told.then(end);
        else end();
      });
    });
  }

  /** @returns Resolves once others are told of it, if that is to be waited for. */
  #served(session: Session, failure: unknown): Promise<void> | undefined {
    const { observer } = this.#core;
    this.#sessions.delete(session);
    const lost = failure instanceof ConnectionError ? failure : undefined;
    observer.disconnected?.(session.figures, session.bye, lost);
    if (!session.announced) return undefined;
    const reason = session.bye ?? (failure === undefined ? "closed" : "lost");
    return tellDisconnected(this.#core, session, reason);
  }

  #look(now: number): void {
    const { pingIntervalMs, helloTimeoutMs } = this.#core.limits;
    for (const session of this.#sessions) {
      const { signs } = session;
      signs.noteTaken(session.outbox.writtenBytes, now);
      if (session.held) continue;
      const quietMs = now - signs.heardAt;
      if (session.principal === undefined) {
        if (now - session.openedAt > helloTimeoutMs) session.endUnknown();
      } else if (pingIntervalMs > 0 && quietMs > pingIntervalMs * (signs.pings + 1)) {
        if (signs.pings === MAX_PINGS - 1) session.end("idle");
        else session.ping();
      }
    }
    this.#core.sendList.flush();
  }

  /** Works in steps, because the rights of thousands of clients may change at once. */
  #lookAtRights(): void {
    if (this.#looksAtRights) return;
    this.#looksAtRights = true;
    const visit = (session: Session) => session.checkRights();
    const over = () => {
      this.#looksAtRights = false;
      this.#core.sendList.flush();
    };
    const looking = inSteps(visitInParts(this.#sessions, visit, RIGHTS_PART), this.#core.pause);
    if (looking) void looking.then(over);
    else over();
  }
}

async function refuseConnection(connection: Connection): Promise<void> {
  writeControl(connection.output.buffer, "bye", { reason: "too-many-connections" });
  await connection.finish("refused", false);
}

/** Serves on a listener, at once. */
export function serveBroker(listener: Listener, options?: BrokerOptions): Broker;
/** Listens on an address, given as an object or as text, and serves there. */
export function serveBroker(
  address: Address | string,
  options?: BrokerOptions & ListenOptions,
): Promise<Broker>;
/**
 * Serves publish/subscribe. A listener is taken over: draining closes it. For an address the result
 * is a promise, and options of `listen` are taken too.
 *
 * A publisher's frame reaches its subscribers byte for byte. A subscriber that does not keep up
 * makes publishers wait for a short while at most; then its own policy decides what is left out, and
 * it is told how much that was.
 *
 * @example
 * ```ts
 * import { connectBroker, serveBroker } from "@socktool/socktool/pubsub";
 * import { assertEquals } from "@std/assert";
 *
 * await using broker = await serveBroker("127.0.0.1:0");
 * await using client = await connectBroker(broker.address);
 * const subscription = await client.subscribe("orders.*");
 * assertEquals(await client.publishConfirmed("orders.eu", "one"), 1);
 * for await (const message of subscription) {
 *   assertEquals([message.topic, message.text()], ["orders.eu", "one"]);
 *   break;
 * }
 * ```
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be, or limits contradict each
 * other.
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export function serveBroker(
  target: ServeTarget,
  options: BrokerOptions & ListenOptions = {},
): Broker | Promise<Broker> {
  return serveOn(target, options, (listener, rest) => new Broker(listener, rest));
}
