import { type Address, networkOf } from "./address.ts";
import type { CloseReason } from "./close_reason.ts";
import { Connection } from "./connection.ts";
import { Acceptor } from "./acceptor.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { GivingWay } from "./giving_way.ts";
import { ConnectionError } from "./connection_error.ts";
import { type ConnectionLimits, type ResolvedLimits, resolveLimits } from "./limits.ts";
import type { ListenOptions } from "./listen.ts";
import type { Listener } from "./listener.ts";
import { serveOn, type ServeTarget } from "./serve_on.ts";
import type { Peer } from "./peer.ts";
import { OverBudgetError } from "../base/budget.ts";
import { Condition } from "../base/condition.ts";
import { guard, reportError } from "../base/report.ts";
import { ServerMemory } from "./server_memory.ts";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { checkGiven, checkKind, checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { timerMs } from "../base/timer_ms.ts";
import { Turns } from "./turns.ts";
import { Watchdog } from "./watchdog.ts";

/** Callbacks of a server; all are optional. An error that one throws is reported to the console. */
export interface ServerObserver {
  /** A connection was accepted. */
  opened?: ((peer: Peer) => void) | undefined;
  /** A connection ended. `error` is set if something failed. */
  closed?: ((peer: Peer, reason: CloseReason, error?: unknown) => void) | undefined;
  /**
   * A connection could not be accepted: its peer had gone (code `reset`), its TLS handshake failed
   * (operation `tls-handshake`), or the process has no descriptor or memory left. The server
   * continues.
   */
  acceptFailed?: ((error: ConnectionError) => void) | undefined;
}

/** Options of {@linkcode serveConnections}. */
export interface ServeOptions extends ConnectionLimits {
  /** When it is aborted, the server drains. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Accept this many connections and no more; the server ends when they have ended.
   *
   * @default {Infinity}
   */
  readonly maxAccepted?: number | undefined;
  /** How long connections may take to finish when the server drains. @default {5_000} */
  readonly drainTimeoutMs?: number | undefined;
  /** Callbacks for what happens. */
  readonly observer?: ServerObserver | undefined;
}

/** How a server serves a connection. */
export interface ConnectionService {
  /**
   * Serves a connection to its end. Call `connection.finish` at the end; a connection that is still
   * open when this returns is closed. An error ends only this connection; the observer's `closed`
   * gets it.
   */
  serve(connection: Connection): Promise<void>;
  /** Tells a peer that there are too many connections, before its connection is closed. */
  refuse?: ((connection: Connection) => Promise<void>) | undefined;
}

const OBSERVER_KINDS: OptionKinds<ServerObserver> = {
  opened: "function",
  closed: "function",
  acceptFailed: "function",
};

const KINDS: OptionKinds<ServeOptions> = { signal: "signal", observer: OBSERVER_KINDS };

const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;

/** `refuse` is called for at most this many connections at a time; more are closed at once. */
const MAX_REFUSALS = 64;

/** The time limit of `refuse`: longer than `connection.finish` waits for the peer. */
const REFUSAL_MS = 2_000;

/** How long services may take to return after their connections were closed by force. */
const FORCED_GRACE_MS = 2_000;

/** A running server. */
export class Server implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** Resolves when it has ended: the listener and all connections are closed. Never rejects. */
  readonly finished: Promise<void>;
  readonly #acceptor: Acceptor;
  readonly #service: ConnectionService;
  readonly #limits: ResolvedLimits;
  readonly #observer: ServerObserver;
  readonly #drainTimeoutMs: number;
  readonly #maxAccepted: number;
  readonly #connections = new Set<Connection>();
  /** Connections for which `refuse` runs. */
  readonly #refusing = new Set<Connection>();
  readonly #abandoned = Promise.withResolvers<void>();
  readonly #watchdog: Watchdog;
  readonly #turns = new Turns();
  readonly #memory: ServerMemory;
  readonly #givingWay = new GivingWay<Connection>(() => this.#connections, {
    // Their peers have sent nothing, or not even one whole frame.
    isUnproven: ({ closeReason, readBytes, midFrame, readFrames }) =>
      closeReason === undefined && (readBytes === 0 || (midFrame && readFrames === 0)),
    networkOf: ({ remote }) => networkOf(remote),
    close: (connection) => {
      connection.close("refused");
      this.#refused++;
      this.#ended(connection, undefined);
    },
  });
  /** Connections whose service, or refusal, has not ended. */
  #serving = 0;
  readonly #idle = new Condition();
  #accepted = 0;
  #refused = 0;
  #forced = 0;
  #draining = false;

  /** Made by `serveConnections`. */
  constructor(listener: Listener, service: ConnectionService, options: ServeOptions) {
    checkOptions(options, KINDS);
    checkService(service);
    this.address = listener.address;
    this.#service = service;
    this.#limits = resolveLimits(options);
    this.#observer = options.observer ?? {};
    this.#acceptor = new Acceptor(listener, this.#turns, (error) => {
      this.#tell((observer) => observer.acceptFailed?.(error));
    });
    this.#drainTimeoutMs = timerMs(
      "drainTimeoutMs",
      options.drainTimeoutMs,
      DEFAULT_DRAIN_TIMEOUT_MS,
    );
    this.#maxAccepted = numericOption("maxAccepted", options.maxAccepted, countOption(Infinity));
    const { maxUnfinishedBytes, maxUnreadBytes } = this.#limits;
    this.#memory = new ServerMemory(maxUnfinishedBytes, maxUnreadBytes);
    this.#watchdog = new Watchdog(this.#connections, this.#limits);
    const { signal } = options;
    const drain = () => void this.drain();
    if (signal?.aborted) drain();
    else signal?.addEventListener("abort", drain, { once: true });
    this.finished = this.#run().finally(() => signal?.removeEventListener("abort", drain));
  }

  /** Its open connections. */
  get connections(): ReadonlySet<Peer> {
    return this.#connections;
  }

  /** How many connections were accepted so far, without those that were refused. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many connections were refused so far, or closed for others, because there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Lets other connections be read in the middle of long work: a promise to wait for, about 15 µs;
   * `undefined` if that happened within the last 2 ms. It never rejects.
   */
  turn(): Promise<void> | undefined {
    return this.#turns.take();
  }

  /** Bytes of incomplete frames, and bytes that wait to be sent. */
  get memory(): { readonly unfinishedBytes: number; readonly unreadBytes: number } {
    const { input, output } = this.#memory;
    return { unfinishedBytes: input.usedBytes, unreadBytes: output.usedBytes };
  }

  /** How many connections were closed by force because they did not finish in time. */
  get forced(): number {
    return this.#forced;
  }

  /**
   * Ends the server in order: accepts no more connections, lets open ones finish what they have
   * begun, and closes those by force that are open when the time is up. Resolves when the server
   * has ended.
   *
   * @param timeoutMs The default is the server's `drainTimeoutMs`. `0` closes at once.
   * @throws {TypeError | RangeError} if it is negative or no number; nothing is done then.
   */
  async drain(timeoutMs?: number): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, this.#drainTimeoutMs);
    if (!this.#draining) {
      this.#draining = true;
      this.#acceptor.stop();
      for (const connection of this.#connections) drainConnection(connection);
    }
    let timer = setTimeout(() => {
      this.#force();
      // The server ends also if a service does not return.
      timer = setTimeout(() => this.#abandoned.resolve(), FORCED_GRACE_MS);
    }, limitMs);
    await this.finished;
    clearTimeout(timer);
  }

  #force(): void {
    for (const connection of this.#connections) {
      if (connection.closeReason === undefined) this.#forced++;
      connection.close("forced");
    }
    for (const connection of this.#refusing) connection.close("refused");
  }

  /** Closes the listener and all connections at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #run(): Promise<void> {
    while (this.#accepted < this.#maxAccepted) {
      const conn = await this.#acceptor.next();
      if (!conn) break;
      if (this.#draining) {
        // It was accepted before the drain began and is not among the connections that were asked
        // to finish.
        closeQuietly(conn);
        break;
      }
      this.#serve(conn);
    }
    this.#acceptor.stop();
    if (this.#serving > 0) await Promise.race([this.#idle.wait(), this.#abandoned.promise]);
    for (const connection of this.#connections) this.#ended(connection, undefined);
    this.#watchdog.stop();
    this.#givingWay[Symbol.dispose]();
    await this.#turns.close();
  }

  // No async function: each that waits for the end of a connection would take 500 bytes.
  #serve(conn: Deno.Conn): void {
    let connection: Connection;
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
      connection = new Connection(conn, this.#limits.maxPendingBytes, this.#turns, this.#memory);
    } catch {
      // The peer reset it after it was accepted.
      closeQuietly(conn);
      return;
    }
    const { maxConnections } = this.#limits;
    if (
      maxConnections > 0 && this.#connections.size >= maxConnections &&
      !this.#givingWay.makeRoom(maxConnections)
    ) return void this.#refuse(connection);
    this.#serving++;
    this.#accepted++;
    this.#connections.add(connection);
    this.#tell((observer) => observer.opened?.(connection));
    let served: Promise<void>;
    try {
      served = this.#service.serve(connection);
    } catch (error) {
      served = Promise.reject(error);
    }
    served.then(() => this.#served(connection), (failure) => this.#served(connection, failure));
  }

  #served(connection: Connection, failure?: unknown): void {
    const turn = this.#turns.takeToEnd();
    if (turn) void turn.then(() => this.#close(connection, failure));
    else this.#close(connection, failure);
  }

  #close(connection: Connection, failure: unknown): void {
    connection.close(reasonOf(failure));
    connection.release();
    this.#ended(connection, failure);
    this.#leave();
  }

  /** What has ended may have been the last for which the end of the server waits. */
  #leave(): void {
    if (--this.#serving === 0) this.#idle.notify();
  }

  #ended(connection: Connection, failure: unknown): void {
    if (!this.#connections.delete(connection)) return;
    const lost = failure instanceof ConnectionError;
    const reason = connection.closeReason ?? "done";
    // If this side closed the connection, the failure of the pending read is no error.
    const told = lost && reason !== "reset" ? undefined : failure;
    if (reason === "failed" && failure !== undefined && !this.#observer.closed) {
      reportError(failure, "Serving a connection failed");
    }
    this.#tell((observer) => observer.closed?.(connection, reason, told));
  }

  async #refuse(connection: Connection): Promise<void> {
    this.#serving++;
    this.#refused++;
    if (this.#refusing.size < MAX_REFUSALS) {
      this.#refusing.add(connection);
      const timer = setTimeout(() => connection.close("refused"), REFUSAL_MS);
      try {
        await this.#service.refuse?.(connection);
      } catch {
        // The connection is closed below in any case.
      }
      clearTimeout(timer);
      this.#refusing.delete(connection);
    }
    connection.close("refused");
    connection.release();
    this.#tell((observer) => observer.closed?.(connection, "refused"));
    this.#leave();
  }

  /** An error that an observer throws must not end the server. */
  #tell(call: (observer: ServerObserver) => unknown): void {
    guard("The observer of a server failed", () => call(this.#observer));
  }
}

/** The reason for closing a connection whose service threw this, or nothing. */
function reasonOf(failure: unknown): CloseReason {
  if (failure === undefined) return "done";
  if (failure instanceof OverBudgetError) return "over-budget";
  return failure instanceof ConnectionError ? "reset" : "failed";
}

function checkService(service: ConnectionService): void {
  checkGiven("service", service, "object");
  checkGiven("service.serve", service.serve, "function");
  checkKind("service.refuse", service.refuse, "function");
}

function drainConnection(connection: Connection): void {
  if (connection.onDrain) connection.onDrain();
  else connection.close("drained");
}

/** Serves on a listener. */
export function serveConnections(
  listener: Listener,
  service: ConnectionService,
  options?: ServeOptions,
): Server;
/** Listens on an address, and serves there. */
export function serveConnections(
  address: Address | string,
  service: ConnectionService,
  options?: ServeOptions & ListenOptions,
): Promise<Server>;
/**
 * Calls the service for every connection. With a listener it returns the server at once, which
 * closes the listener when it ends. With an address, or its text, it returns a promise of the
 * server, and takes the options of {@linkcode listen} too. An error of one connection does not
 * affect others. If accepting fails, for instance because the process has no file descriptor left,
 * the server tries again.
 *
 * @example An echo server.
 * ```ts
 * import { dial, serveConnections } from "@socktool/socktool/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveConnections("127.0.0.1:0", {
 *   async serve(connection) {
 *     const { input, output } = connection;
 *     while (await connection.read()) {
 *       output.buffer.append(input.bytes.subarray(input.start, input.end));
 *       input.consume(input.end - input.start);
 *       output.flush();
 *       await output.room();
 *     }
 *     await connection.finish("done", true);
 *   },
 * });
 * using conn = await dial(server.address);
 * await conn.write(new TextEncoder().encode("hi"));
 * const bytes = new Uint8Array(2);
 * await conn.read(bytes);
 * assertEquals(new TextDecoder().decode(bytes), "hi");
 * ```
 *
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export function serveConnections(
  target: ServeTarget,
  service: ConnectionService,
  options: ServeOptions & ListenOptions = {},
): Server | Promise<Server> {
  return serveOn(target, options, (listener, rest) => new Server(listener, service, rest));
}
