import { type Address } from "./address.ts";
import { type CloseReason, Connection } from "./connection.ts";
import { Acceptor } from "./acceptor.ts";
import { closeConn } from "./close_conn.ts";
import { ConnectionError } from "./connection_error.ts";
import { type ConnectionLimits, type ResolvedLimits, resolveLimits } from "./limits.ts";
import type { Listener, ListenOptions } from "./listen.ts";
import { serveOn, type ServeTarget } from "./serve_on.ts";
import { OverBudgetError } from "../base/budget.ts";
import { reportError } from "../base/report.ts";
import { ServerMemory } from "./server_memory.ts";
import { countOption, numericOption } from "../base/numeric_options.ts";
import { timerMs } from "../base/timer_ms.ts";
import { Turns } from "./turns.ts";
import { Watchdog } from "./watchdog.ts";

/** What happens at a server; every method is optional. What they throw is reported as an error. */
export interface ServerObserver {
  /** A connection was accepted. */
  opened?: ((connection: Connection) => void) | undefined;
  /** A connection ended. `error` is there where something failed. */
  closed?: ((connection: Connection, reason: CloseReason, error?: unknown) => void) | undefined;
  /**
   * A connection could not be accepted: its peer was gone before (`reset`), or the process has no
   * descriptor or memory left. The server goes on.
   */
  acceptFailed?: ((error: ConnectionError) => void) | undefined;
}

/** Limits and surroundings of a server. */
export interface ServeOptions extends ConnectionLimits {
  /** When it is aborted the server drains. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Accepts so many connections, then no more, and ends when they have ended.
   *
   * @default {Infinity}
   */
  readonly maxAccepted?: number | undefined;
  /** How long draining may take before connections are closed by force. @default {5_000} */
  readonly drainTimeoutMs?: number | undefined;
  /** Is told what happens. */
  readonly observer?: ServerObserver | undefined;
}

/** How a kind of server serves one connection. */
export interface ConnectionService {
  /**
   * Serves until the connection is over. It should end with `connection.finish` and return; what
   * it leaves open is closed. What it throws is reported and ends this connection alone.
   */
  serve(connection: Connection): Promise<void>;
  /** Tells the peer that the server has too many connections, before it is closed. */
  refuse?: ((connection: Connection) => Promise<void>) | undefined;
}

const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;

/** So many peers at one time are told why they are refused; others are just closed. */
const MAX_REFUSALS = 64;

/** The longest time for telling one: longer than a connection that finishes lingers. */
const REFUSAL_MS = 2_000;

/** How long services have to notice that their connections were closed by force. */
const FORCED_GRACE_MS = 500;

/** A server at work. */
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
  /** Those that are told why they are refused. */
  readonly #refusing = new Set<Connection>();
  readonly #abandoned = Promise.withResolvers<void>();
  readonly #watchdog: Watchdog;
  readonly #turns = new Turns();
  readonly #memory: ServerMemory;
  #accepted = 0;
  #refused = 0;
  #forced = 0;
  #draining = false;

  /** Made by `serveConnections`. */
  constructor(listener: Listener, service: ConnectionService, options: ServeOptions) {
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
  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** How many connections were accepted since the start, those refused not counted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many connections were refused since the start, because there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Lets all connections be looked at for what came, in the middle of long work: what to wait for,
   * about 15 µs; `undefined` if that was done within the last 2 ms. It never rejects.
   */
  turn(): Promise<void> | undefined {
    return this.#turns.take();
  }

  /** Bytes of frames that are not complete, and bytes that peers have not read. */
  get memory(): { readonly unfinishedBytes: number; readonly unreadBytes: number } {
    const { input, output } = this.#memory;
    return { unfinishedBytes: input.usedBytes, unreadBytes: output.usedBytes };
  }

  /** How many connections were closed by force because draining took too long. */
  get forced(): number {
    return this.#forced;
  }

  /**
   * Ends in order: accepts no more, lets connections finish what they have begun, and closes by
   * force what is open when the time is up. Resolves when the server has finished.
   *
   * @param timeoutMs Without it, the server's `drainTimeoutMs`. `0` closes at once.
   * @throws {RangeError} if it is negative or not a number; nothing is done then.
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
      // A service that does not notice must not keep the server from ending.
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

  /** Closes everything at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #run(): Promise<void> {
    const serving = new Set<Promise<void>>();
    while (this.#accepted < this.#maxAccepted) {
      const conn = await this.#acceptor.next();
      if (!conn) break;
      if (this.#draining) {
        // It was on its way when the drain began, and nobody would ask it to finish.
        closeConn(conn);
        break;
      }
      const served = this.#serve(conn).finally(() => serving.delete(served));
      serving.add(served);
    }
    this.#acceptor.stop();
    await Promise.race([Promise.all(serving), this.#abandoned.promise]);
    for (const connection of this.#connections) this.#ended(connection, undefined);
    this.#watchdog.stop();
    await this.#turns.close();
  }

  /** Never rejects. */
  async #serve(conn: Deno.Conn): Promise<void> {
    let connection: Connection;
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
      connection = new Connection(conn, this.#limits.maxPendingBytes, this.#turns, this.#memory);
    } catch {
      // It was reset between the kernel's accept and ours.
      closeConn(conn);
      return;
    }
    const { maxConnections } = this.#limits;
    if (maxConnections > 0 && this.#connections.size >= maxConnections) {
      return await this.#refuse(connection);
    }
    this.#accepted++;
    this.#connections.add(connection);
    this.#tell((observer) => observer.opened?.(connection));
    let failure: unknown;
    try {
      await this.#service.serve(connection);
    } catch (error) {
      failure = error;
    }
    connection.close(reasonOf(failure));
    connection.release();
    this.#ended(connection, failure);
  }

  #ended(connection: Connection, failure: unknown): void {
    if (!this.#connections.delete(connection)) return;
    const lost = failure instanceof ConnectionError;
    const reason = connection.closeReason ?? "done";
    // A read that fails because the connection was closed on purpose is no failure.
    const told = lost && reason !== "reset" ? undefined : failure;
    if (reason === "failed" && failure !== undefined && !this.#observer.closed) {
      reportError(failure, "Serving a connection failed");
    }
    this.#tell((observer) => observer.closed?.(connection, reason, told));
  }

  async #refuse(connection: Connection): Promise<void> {
    this.#refused++;
    if (this.#refusing.size < MAX_REFUSALS) {
      this.#refusing.add(connection);
      const timer = setTimeout(() => connection.close("refused"), REFUSAL_MS);
      try {
        await this.#service.refuse?.(connection);
      } catch {
        // The peer is refused all the same.
      }
      clearTimeout(timer);
      this.#refusing.delete(connection);
    }
    connection.close("refused");
    connection.release();
    this.#tell((observer) => observer.closed?.(connection, "refused"));
  }

  /** What an observer throws must not end the server. */
  #tell(call: (observer: ServerObserver) => void): void {
    try {
      call(this.#observer);
    } catch (error) {
      reportError(error, "The observer of a server failed");
    }
  }
}

/** Why a connection ended whose service threw this, or nothing. */
function reasonOf(failure: unknown): CloseReason {
  if (failure === undefined) return "done";
  if (failure instanceof OverBudgetError) return "over-budget";
  return failure instanceof ConnectionError ? "reset" : "failed";
}

function drainConnection(connection: Connection): void {
  if (connection.onDrain) connection.onDrain();
  else connection.close("drained");
}

/** Serves on a listener, at once. */
export function serveConnections(
  listener: Listener,
  service: ConnectionService,
  options?: ServeOptions,
): Server;
/** Listens on an address, or on what a text says, and serves there. */
export function serveConnections(
  address: Address | string,
  service: ConnectionService,
  options?: ServeOptions & ListenOptions,
): Promise<Server>;
/**
 * Serves connections, each by a call of the service. A listener is taken over: draining closes it.
 * For an address the result is a promise, and options of {@linkcode listen} are taken too. Errors of
 * one connection do not reach another, and an accept that fails, as when the process has no file
 * descriptor left, is tried again.
 *
 * @example An echo server.
 * ```ts
 * import { dial, serveConnections } from "@socktool/socktool";
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
 * @throws {RangeError} if a limit is not a number of milliseconds, bytes or connections.
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
