import { timerMs } from "../base/timer_ms.ts";
import { networkOf } from "../net/address.ts";
import { GivingWay, noteProgress } from "../net/giving_way.ts";
import {
  type Address,
  ConnectionError,
  formatAddress,
  type ListenOptions,
  type ServerTls,
  toAddress,
} from "../net/mod.ts";
import { Turns } from "../net/turns.ts";
import { dialUpstream, type Upstream, upstreamAt, upstreamTls } from "./dial_upstream.ts";
import type { Fault } from "./faults/fault.ts";
import { type FaultReport, FaultSet } from "./faults/fault_set.ts";
import { readFaults } from "./faults/parse_fault.ts";
import { FlowTurns } from "./flow_turns.ts";
import { refuseLoop } from "./loop.ts";
import type { ProxiedConnection, ProxyCloseReason, ProxyObserver } from "./observer.ts";
import { ReadBudget } from "./read_memory.ts";
import { limitsOf, type ProxyLimits, proxyObserver, type ProxyOptions } from "./proxy_options.ts";
import { Redials } from "./redials.ts";
import { Relay } from "./relay.ts";
import type { Shared } from "./shared.ts";
import type { Side } from "./side.ts";
import { listenSockets } from "./listen_sockets.ts";
import type { ProxyListener, SocketListener } from "./proxy_listener.ts";

/**
 * This program's connections to upstreams, by both their ends, and the proxies that lie on the way to
 * each. One that arrives at a proxy on its way goes round in a circle. One end would not do: a system
 * gives the same port to connections to different places.
 */
const OWN_ENDS = new Map<string, ReadonlySet<ProxyServer>>();

/** A proxy that runs. */
export interface Proxy extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** Where it connects to. */
  readonly upstream: Address;
  /** Its open connections. */
  readonly connections: ReadonlySet<ProxiedConnection>;
  /** From what all chance follows. */
  readonly seed: number;
  /** What is set. */
  readonly faults: readonly Fault[];
  /**
   * Puts faults in the place of those before, for open connections too. What waits because of a fault
   * that is gone still comes at its time. A fault that stays in its place goes on as it was.
   *
   * @throws {FaultError} if a text is no fault; nothing is changed then.
   * @throws {TypeError} if one is neither a text nor what `parseFault` returned.
   */
  set(faults: readonly (Fault | string)[]): void;
  /** How often each fault did something: those that are set, and those that were. */
  reports(): FaultReport[];
  /** Resolves when it has ended: the listener and all connections are closed. Never rejects. */
  readonly finished: Promise<void>;
  /** How many connections were broken off because they did not finish in time. */
  readonly forced: number;
  /**
   * Uses another certificate for clients to come.
   *
   * @throws {ConnectionError} with operation `listen` and code `tls` if the certificate cannot be
   * used, or the proxy does not serve TLS.
   */
  renewTls(tls: ServerTls): Promise<void>;
  /**
   * Ends the proxy in order: accepts no more, lets open connections finish, and breaks off those
   * that are open when the time is up. Resolves when it has ended.
   *
   * @param timeoutMs The default is the proxy's `drainTimeoutMs`. `0` breaks off at once.
   * @throws {TypeError | RangeError} if it is negative or no number.
   */
  drain(timeoutMs?: number): Promise<void>;
}

/** Serves on a listener of {@linkcode listenForProxy}, at once. */
export function serveProxy(
  listener: ProxyListener,
  upstream: Address | string,
  options?: ProxyOptions,
): Proxy;
/** Listens on an address, or on what a text says, and serves there. */
export function serveProxy(
  address: Address | string,
  upstream: Address | string,
  options?: ProxyOptions & Pick<ListenOptions, "tls">,
): Promise<Proxy>;
/**
 * Joins each client with a connection of its own to the upstream, and passes on in both directions
 * what a direct connection would: bytes, the end of one half, and a reset. While one side does not
 * read, nothing is read from the other. A client whose upstream cannot be reached is reset.
 *
 * @example
 * ```ts
 * import { dial } from "@socktool/socktool/net";
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { serveProxy } from "@socktool/socktool/proxy";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * await using proxy = await serveProxy("127.0.0.1:0", server.address);
 * using conn = await dial(proxy.address);
 * await conn.write(new TextEncoder().encode("hello"));
 * const bytes = new Uint8Array(16);
 * const count = await conn.read(bytes) ?? 0;
 * assertEquals(new TextDecoder().decode(bytes.subarray(0, count)), "hello");
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ProxyError} with code `loop` if the upstream is where the proxy listens.
 * @throws {FaultError} if a text is no fault.
 * @throws {ConnectionError} with operation `listen`
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 */
export function serveProxy(
  target: ProxyListener | Address | string,
  upstream: Address | string,
  options: ProxyOptions & Pick<ListenOptions, "tls"> = {},
): Proxy | Promise<Proxy> {
  const limits = limitsOf(options);
  const { tls } = options;
  const to = upstreamAt(toAddress(upstream), options.upstreamTls, limits.connectTimeoutMs);
  if (tls && isSocketListener(target)) {
    // If it were ignored, secrets would be sent in the clear.
    throw new TypeError("Cannot use tls with a listener: give it to listenForProxy()");
  }
  if (isSocketListener(target)) return new ProxyServer(target, to, options, limits);
  if (typeof target === "object" && target !== null && "accept" in target) {
    throw new TypeError("Cannot use a listener of listen(): take one of listenForProxy()");
  }
  return listenAndServe(
    toAddress(target as Address | string),
    { tls },
    (listener) => new ProxyServer(listener, to, options, limits),
  );
}

async function listenAndServe(
  address: Address,
  options: Pick<ListenOptions, "tls">,
  start: (listener: SocketListener) => Proxy,
): Promise<Proxy> {
  const listener = await listenSockets(address, options);
  try {
    return start(listener);
  } catch (error) {
    listener.close();
    throw error;
  }
}

/** What tells one connection from another, for who dials and for who accepts it. */
function endsOf(dialling: Address, accepting: Address): string {
  return `${formatAddress(dialling)} ${formatAddress(accepting)}`;
}

function isSocketListener(target: unknown): target is SocketListener {
  return typeof target === "object" && target !== null && "serve" in target;
}

class ProxyServer implements Proxy {
  readonly address: Address;
  readonly upstream: Address;
  readonly finished: Promise<void>;
  readonly #upstream: Upstream;
  readonly #listener: SocketListener;
  readonly #observer: ProxyObserver;
  readonly #limits: ProxyLimits;
  readonly #relays = new Set<Relay>();
  readonly #turns = new Turns();
  readonly #shared: Shared;
  readonly #flowTurns = new FlowTurns(this.#turns, () => this.#relays.size);
  readonly #givingWay = new GivingWay<Relay>(() => this.#relays, {
    isUnproven: (relay) => relay.isUnproven,
    networkOf: ({ client }) => networkOf(client),
    close: (relay) => {
      this.#relays.delete(relay);
      relay.reset("refused");
    },
  });
  readonly #redials = new Redials(this.#turns);
  readonly #faults: FaultSet;
  readonly #ended = Promise.withResolvers<void>();
  readonly #abort = new AbortController();
  #forced = 0;
  #draining = false;

  constructor(
    listener: SocketListener,
    upstream: Upstream,
    options: ProxyOptions,
    limits: ProxyLimits,
  ) {
    refuseLoop(listener.address, upstream.address);
    this.address = listener.address;
    this.upstream = upstream.address;
    this.#upstream = upstream;
    this.#listener = listener;
    this.#observer = proxyObserver(options);
    this.#limits = limits;
    this.#shared = { turns: this.#turns, reads: new ReadBudget(limits.maxReadBytes) };
    this.#faults = new FaultSet(
      limits.seed,
      (fired) => this.#observer.fired?.(fired),
      limits.maxWaitingBytes,
    );
    this.set(options.faults ?? []);
    const { signal } = options;
    const drain = () => void this.drain();
    if (signal?.aborted) drain();
    else signal?.addEventListener("abort", drain, { once: true });
    this.finished = this.#ended.promise.then(() => {
      signal?.removeEventListener("abort", drain);
      this.#givingWay[Symbol.dispose]();
      return this.#turns.close();
    });
    // Nobody is accepted before all is loaded that clients need.
    if (upstream.tls && !upstreamTls.module) {
      const accept = () => this.#accept();
      upstreamTls.load().then(accept, accept);
    } else this.#accept();
  }

  get connections(): ReadonlySet<ProxiedConnection> {
    return this.#relays;
  }

  get seed(): number {
    return this.#faults.seed;
  }

  get faults(): readonly Fault[] {
    return this.#faults.faults;
  }

  set(faults: readonly (Fault | string)[]): void {
    this.#faults.set(readFaults(faults));
  }

  reports(): FaultReport[] {
    return this.#faults.reports();
  }

  get forced(): number {
    return this.#forced;
  }

  async renewTls(tls: ServerTls): Promise<void> {
    const { address, handshakes } = this.#listener;
    if (handshakes) return await handshakes.renew(tls);
    throw new ConnectionError("listen", address, new Error("the proxy does not serve TLS"), "tls");
  }

  async drain(timeoutMs?: number): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, this.#limits.drainTimeoutMs);
    if (!this.#draining) {
      this.#draining = true;
      this.#listener.close();
      this.#leave();
    }
    const timer = setTimeout(() => this.#force(), limitMs);
    await this.finished;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  #force(): void {
    this.#abort.abort();
    for (const relay of this.#relays) {
      this.#forced++;
      relay.reset("forced");
    }
  }

  #accept(): void {
    if (this.#draining) return;
    this.#listener.serve({
      accepted: (side, number) => this.#serve(side, number),
      failed: (error) => this.#observer.acceptFailed?.(error),
    }, this.#shared);
  }

  /** Serves a client. Never rejects. */
  async #serve(client: Side, number: number): Promise<void> {
    const shared = { faults: this.#faults, turns: this.#flowTurns };
    const relay = new Relay(number, client, this.upstream, shared, {
      passed: (...event) => this.#observer.passed?.(...event),
      halfClosed: (...event) => this.#observer.halfClosed?.(...event),
      reset: (...event) => this.#observer.reset?.(...event),
      noticed: (...event) => this.#observer.noticed?.(...event),
      closed: (relay, reason, error) => this.#closed(relay, reason, error),
    });
    const { maxConnections } = this.#limits;
    const isFull = maxConnections > 0 && this.#relays.size >= maxConnections &&
      !this.#givingWay.makeRoom(maxConnections);
    this.#relays.add(relay);
    if (this.#draining) return relay.reset("forced");
    if (isFull) return relay.reset("refused");
    const from = endsOf(client.remote, client.local);
    if (OWN_ENDS.get(from)?.has(this)) return relay.reset("loop");
    if (this.#faults.refuses(relay.id, client.remote)) return relay.reset("fault");
    try {
      const upstream = await this.#dial(relay);
      if (relay.isOver) return upstream.reset();
      relay.join(upstream);
    } catch (error) {
      return relay.reset("unreachable", error);
    }
    // It may have been accepted before the proxy knew its own end.
    const way = OWN_ENDS.get(from);
    if (way?.has(this)) return relay.reset("loop");
    if (relay.dialled?.transport === "tcp") {
      OWN_ENDS.set(endsOf(relay.dialled, relay.upstream), new Set([...way ?? [], this]));
    }
    this.#observer.opened?.(relay);
    relay.start();
  }

  /** Dials. Where no descriptor is left for that, it waits until there is, or clients give way. */
  async #dial(relay: Relay): Promise<Side> {
    for (let attempt = 1;; attempt++) {
      try {
        const side = await dialUpstream(this.#upstream, this.#abort.signal, this.#shared);
        if (attempt > 1 && relay.hasSent) noteProgress();
        return side;
      } catch (error) {
        const isShort = error instanceof ConnectionError && error.code === "too-many-open-files";
        if (!isShort || !await this.#redials.wait() || relay.isOver) throw error;
      }
    }
  }

  #closed(relay: Relay, reason: ProxyCloseReason, error: unknown): void {
    this.#relays.delete(relay);
    if (relay.dialled) OWN_ENDS.delete(endsOf(relay.dialled, relay.upstream));
    const told = reason === "done" && this.#draining ? "drained" : reason;
    this.#observer.closed?.(relay, told, error);
    this.#leave();
  }

  /** The proxy has ended if it drains, and this was its last connection. */
  #leave(): void {
    if (!this.#draining || this.#relays.size > 0) return;
    this.#faults[Symbol.dispose]();
    this.#ended.resolve();
  }
}
