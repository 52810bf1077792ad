import { Backoff } from "../../../base/backoff.ts";
import { Condition } from "../../../base/condition.ts";
import { Deque } from "../../../base/deque.ts";
import { messageOf } from "../../../base/message_of.ts";
import { PeriodicLook } from "../../../base/periodic_look.ts";
import { reportError } from "../../../base/report.ts";
import { sleep } from "../../../base/sleep.ts";
import { type ByteBuffer, ConnectionError } from "../../../net/mod.ts";
import { type ClusterOptions, MAX_PINGS_OUT, PING_INTERVAL_MS, STEADY_MS } from "./cluster.ts";
import { dialCluster } from "./dial_cluster.ts";
import type { NatsError } from "./nats_error.ts";
import { Refusals } from "./refusals.ts";
import type { Turn } from "./turn.ts";
import {
  type CoreSubscription,
  CoreSubscriptions,
  subscribeLine,
  type SubscriptionEvents,
} from "./wire/core_subscriptions.ts";
import type { NatsConnection, NatsConnectionEvents } from "./wire/nats_connection.ts";
import { NatsProtocolError } from "./wire/nats_parser.ts";
import { DEFAULT_MAX_PAYLOAD } from "./wire/server_info.ts";
import { ServerPool } from "./wire/server_pool.ts";

/** The bounds of the waits between two rounds of tries, while the cluster is gone. */
const BACKOFF = { firstMs: 100, longestMs: 1_000 };

/** Publishers wait while more bytes than this wait to be sent. */
const MAX_PENDING_BYTES = 8_388_608;

/** What a link tells of. */
export interface LinkEvents {
  disconnected(): void;
  reconnected(): void;
  /** A server refused something that nobody waits for, in a sentence. */
  refused(message: string): void;
}

const encoder = new TextEncoder();

/**
 * One connection to a NATS cluster for core NATS: publishing, subscribing, requests. It is made again
 * whenever it is lost.
 *
 * It speaks NATS itself, as the official client makes objects of each message: through a gateway,
 * which writes and reads messages in its own buffers, a publication of 16 bytes took 4 times as long.
 */
export class CoreLink implements AsyncDisposable {
  /** How often it was made again. */
  reconnects = 0;
  events: LinkEvents | undefined;
  /** Is set once there is a broker. */
  turn: Turn = () => undefined;
  readonly #options: ClusterOptions;
  readonly #noEcho: boolean;
  readonly #pool: ServerPool;
  readonly #subscriptions = new CoreSubscriptions();
  /** Who waits for the answers to pings. */
  readonly #pongs = new Deque<PromiseWithResolvers<void>>();
  readonly #looking = new PeriodicLook(PING_INTERVAL_MS, () => this.#look());
  readonly #closing = new AbortController();
  /** `undefined` while there is none. */
  #connection: NatsConnection | undefined;
  #running: Promise<void> | undefined;
  #isFlushing = false;
  readonly #room = new Condition();
  readonly #refusals = new Refusals();

  private constructor(options: ClusterOptions, noEcho: boolean) {
    this.#options = options;
    this.#noEcho = noEcho;
    this.#pool = new ServerPool(options.hosts);
  }

  /**
   * Connects to one of the servers.
   *
   * @param noEcho Whether what is published here does not come back.
   * @throws {NatsError}
   */
  static async connect(options: ClusterOptions, noEcho: boolean): Promise<CoreLink> {
    const link = new CoreLink(options, noEcho);
    const connection = await link.#dial(options.signal);
    link.#use(connection);
    link.#running = link.#run(connection);
    link.#looking.start();
    return link;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** The server that it is, or was last, connected to. */
  get server(): string {
    return this.#pool.current;
  }

  /** The largest message, its headers included. */
  get maxPayload(): number {
    return this.#connection?.info?.maxPayload ?? DEFAULT_MAX_PAYLOAD;
  }

  /**
   * Where lines of the protocol are written, which `flushSoon` sends; `undefined` while there is no
   * connection. Each connection has another one.
   */
  get output(): ByteBuffer | undefined {
    return this.#connection?.output.buffer;
  }

  /** Sends what was written, together with what the code that runs now still writes. */
  flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#connection?.flush();
    });
  }

  /** Resolves when the server has all that was sent. Rejects if the connection is lost before. */
  flush(): Promise<void> {
    if (this.#connection === undefined) return Promise.reject(new Error(LOST));
    const pong = Promise.withResolvers<void>();
    this.#pongs.push(pong);
    this.#connection.ping();
    return pong.promise;
  }

  /** What to wait for before more is sent; `undefined` if the server keeps up. */
  room(): Promise<void> | undefined {
    if (!(this.#pendingBytes > MAX_PENDING_BYTES)) return undefined;
    return this.#room.wait();
  }

  /** Publishes a message without headers. While there is no connection it is dropped. */
  publish(subject: string, data: Uint8Array, reply?: string): void {
    const { output } = this;
    if (output === undefined) return;
    const to = reply === undefined ? subject : `${subject} ${reply}`;
    output.append(encoder.encode(`PUB ${to} ${data.length}\r\n`));
    output.append(data);
    output.append(END);
    this.flushSoon();
  }

  /** Subscribes. What is refused later ends it. */
  subscribe(
    subject: string,
    events: SubscriptionEvents,
    queue?: string | undefined,
  ): CoreSubscription {
    const subscription = this.#subscriptions.add(subject, queue, events);
    this.#write(subscribeLine(subscription));
    return subscription;
  }

  /** Ends a subscription. What is on its way to it still comes. */
  unsubscribe(subscription: CoreSubscription): void {
    this.#write(`UNSUB ${subscription.sid}\r\n`);
    const remove = () => this.#subscriptions.remove(subscription);
    this.flush().then(remove, remove);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#looking.stop();
    this.#connection?.close();
    await this.#running;
  }

  get #pendingBytes(): number {
    return this.#connection?.output.pendingBytes ?? 0;
  }

  #write(text: string): void {
    this.output?.append(encoder.encode(text));
    this.flushSoon();
  }

  readonly #handler: NatsConnectionEvents = {
    message: (message) => this.#subscriptions.received(message),
    info: ({ connectUrls }) => this.#pool.learn(connectUrls),
    pong: () => this.#pongs.shift()?.resolve(),
    refused: (reason) => this.#refused(reason),
    written: () => {
      if (this.#pendingBytes <= MAX_PENDING_BYTES / 2) this.#room.notify();
    },
  };

  /** Tries each server once. @throws {NatsError} */
  #dial(signal: AbortSignal): Promise<NatsConnection> {
    return dialCluster(this.#pool, this.#options, this.#noEcho, this.#handler, signal);
  }

  #use(connection: NatsConnection): void {
    this.#connection = connection;
    this.#write(this.#subscriptions.lines);
  }

  async #run(first: NatsConnection): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff(BACKOFF);
    let connection: NatsConnection | undefined = first;
    while (connection) {
      const begun = performance.now();
      const failure = await connection.run(() => this.turn());
      this.#lost();
      if (signal.aborted) return;
      if (failure instanceof NatsProtocolError) this.events?.refused(failure.message);
      else if (failure !== undefined && !(failure instanceof ConnectionError)) {
        reportError(failure, "Reading from NATS failed");
      }
      this.events?.disconnected();
      // A server that lets everybody in and closes at once must not keep this one busy.
      if (performance.now() - begun < STEADY_MS) await sleep(backoff.next(), signal);
      else backoff.reset();
      connection = await this.#again(backoff, signal);
      // It may have been made at the very moment in which this is closed.
      if (signal.aborted) return connection?.close();
      if (connection === undefined) return;
      this.#use(connection);
      this.reconnects++;
      this.events?.reconnected();
    }
  }

  #lost(): void {
    this.#connection = undefined;
    for (let pong = this.#pongs.shift(); pong; pong = this.#pongs.shift()) {
      pong.reject(new Error(LOST));
    }
    this.#room.notify();
  }

  async #again(backoff: Backoff, signal: AbortSignal): Promise<NatsConnection | undefined> {
    let told = "";
    while (!signal.aborted) {
      try {
        return await this.#dial(signal);
      } catch (error) {
        const message = messageOf(error);
        // That nobody is there was told when the connection was lost.
        const isNews = (error as NatsError).code !== "unreachable" && message !== told;
        if (isNews && !signal.aborted) this.events?.refused(told = message);
      }
      await sleep(backoff.next(), signal);
    }
    return undefined;
  }

  #refused(reason: string): void {
    this.#subscriptions.refused(reason);
    const sentence = this.#refusals.sentence(reason);
    if (sentence !== undefined) this.events?.refused(sentence);
  }

  #look(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (connection.lookForLife() > MAX_PINGS_OUT) return connection.close();
    this.flush().catch(() => {
      // The connection is made again.
    });
  }
}

const END = encoder.encode("\r\n");
const LOST = "There is no connection to NATS";
