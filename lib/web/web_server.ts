import type { Buffer } from "node:buffer";
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";
// @ts-types="../net/ws.d.ts"
import { WebSocketServer } from "ws";
import { closeQuietly } from "../base/close_quietly.ts";
import { Condition } from "../base/condition.ts";
import { numericOptions } from "../base/numeric_options.ts";
import { LimitLook, tickMs } from "../base/periodic_look.ts";
import { guard } from "../base/report.ts";
import { MAX_TIMER_MS, timerMs } from "../base/timer_ms.ts";
import { Acceptor } from "../net/acceptor.ts";
import { ConnStream } from "../net/conn_stream.ts";
import { GivingWay } from "../net/giving_way.ts";
import {
  type Address,
  type Listener,
  type ListenOptions,
  serveOn,
  type ServerTls,
  type ServeTarget,
} from "../net/mod.ts";
import { Turns } from "../net/turns.ts";
import { WEB_SOCKET_OPTIONS, WebSocketConn } from "../net/web_socket_conn.ts";
import { WebSocketInput } from "../net/web_socket_input.ts";
import { Answerer, MAX_HEAD_BYTES } from "./answerer.ts";
import { HttpConnection } from "./http_connection.ts";
import { HttpTurns } from "./http_turns.ts";
import { errorReply, WebError, type WebReply } from "./reply.ts";
import type { Route } from "./route.ts";
import {
  checkWebOptions,
  WEB_LIMITS,
  type WebLimits,
  type WebObserver,
  type WebServeOptions,
} from "./web_options.ts";
import {
  asksForWebSocket,
  checkWebSocketRequest,
  noWebSocket,
  WEB_SOCKET_PATH,
} from "./web_socket_request.ts";
import { WebSocketListener } from "./web_socket_listener.ts";

/** How long requests that are at work may take when the server drains. */
const DRAIN_TIMEOUT_MS = 1_000;

/** How long a client may take to answer the Close frame of a WebSocket, or to close after its own. */
const CLOSE_TIMEOUT_MS = 1_000;

/** What `createServer` takes, and its types do not know yet. */
interface UpgradeOptions {
  shouldUpgradeCallback(request: IncomingMessage): boolean;
}

/** Requests with other methods have no content that anybody wants: it is dropped as it comes. */
const BODY_METHODS: ReadonlySet<string | undefined> = new Set(["POST", "PUT"]);

/** In this order other connections are closed for one more: by what they do. */
const DISPENSABLE = ["idle", "ending", "head"] as const;

/** A web server at work. */
export class WebServer implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** Whether it uses TLS. */
  readonly secure: boolean;
  /**
   * The WebSockets that come to `/ws`, to be served by another server: join it with that server's own
   * listener. While nobody accepts here, WebSockets are refused (503).
   */
  readonly webSockets: Listener;
  /** Resolves when it has ended: the listener and all connections are closed. Never rejects. */
  readonly finished: Promise<void>;
  readonly #options: WebServeOptions;
  readonly #limits: WebLimits;
  readonly #listener: Listener;
  readonly #acceptor: Acceptor;
  readonly #turns = new Turns();
  readonly #httpTurns = new HttpTurns(this.#turns);
  readonly #http: HttpServer;
  readonly #sockets: WebSocketListener;
  readonly #upgrades = new WebSocketServer({
    ...WEB_SOCKET_OPTIONS,
    closeTimeout: CLOSE_TIMEOUT_MS,
    noServer: true,
    clientTracking: false,
  });
  readonly #answerer: Answerer;
  /** By their streams; the first is idle for longest, if it is idle. */
  readonly #connections = new Map<Duplex, HttpConnection>();
  readonly #looking: LimitLook;
  readonly #givingWay = new GivingWay<HttpConnection>(() => this.#connections.values(), {
    isUnproven: ({ isUnproven }) => isUnproven,
    networkOf: ({ network }) => network,
    close: ({ stream }) => this.#displace(stream),
  });
  readonly #empty = new Condition();
  #draining = false;
  #displaced = 0;

  /** Made by {@linkcode serveWeb}. */
  constructor(listener: Listener, options: WebServeOptions) {
    this.address = listener.address;
    this.secure = listener.secure;
    this.#listener = listener;
    this.#options = options;
    this.#limits = numericOptions(WEB_LIMITS, options);
    checkWebOptions(options);
    this.#answerer = new Answerer(options, {
      isSecure: listener.secure,
      maxMemoryBytes: this.#limits.maxMemoryBytes,
      loginTimeoutMs: this.#limits.loginTimeoutMs,
      isDraining: () => this.#draining,
      elsewhere: (path) =>
        path === WEB_SOCKET_PATH && this.#sockets.isServed ? noWebSocket() : undefined,
    });
    const upgrades: UpgradeOptions = { shouldUpgradeCallback: asksForWebSocket };
    this.#http = createServer({
      ...upgrades,
      maxHeaderSize: MAX_HEAD_BYTES,
      requireHostHeader: false,
      keepAliveTimeout: Math.min(this.#limits.idleTimeoutMs, MAX_TIMER_MS),
    });
    // It gets its connections here, but a server that does not listen closes each after one reply.
    Object.defineProperty(this.#http, "listening", { value: true });
    // A client may end its half when it has asked, as `nc -N` does, and gets its answers.
    Object.defineProperty(this.#http, "httpAllowHalfOpen", { value: true });
    // Else what is beyond some number of headers would be left out in silence.
    this.#http.maxHeadersCount = 0;
    this.webSockets = this.#sockets = new WebSocketListener(listener);
    this.#http.on("request", (request, response) => this.#requested(request, response));
    this.#http.on("checkContinue", (request, response) => this.#requested(request, response));
    this.#http.on("checkExpectation", (request, response) => this.#requested(request, response));
    this.#http.on("upgrade", (request, stream, head) => this.#upgrade(request, stream, head));
    this.#http.on(
      "connect",
      (_, stream) => {
        const headers = { allow: "GET, HEAD" };
        this.#refuseNext(stream, new WebError(405, "bad-method", "This is no proxy", headers));
      },
    );
    this.#http.on("clientError", (error, stream) => this.#broken(error, stream));
    this.#upgrades.on(
      "wsClientError",
      ({ message }: Error, stream: Duplex) =>
        this.#refuse(stream, errorReply(400, "bad-handshake", message)),
    );
    this.#acceptor = new Acceptor(listener, this.#turns, (error) => {
      this.#tell((observer) => observer.acceptFailed?.(error));
    });
    const { headerTimeoutMs, bodyTimeoutMs, writeTimeoutMs, idleTimeoutMs } = this.#limits;
    this.#looking = new LimitLook(
      tickMs(headerTimeoutMs, bodyTimeoutMs, writeTimeoutMs, idleTimeoutMs, 1_000),
      (now) => this.#look(now),
    );
    this.#looking.start();
    this.finished = this.#run();
  }

  /** How many connections are open, without WebSockets that were accepted. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many connections were closed because there were too many. */
  get displaced(): number {
    return this.#displaced;
  }

  /** Answers further routes from now on. @throws {TypeError} if one is there already. */
  add(routes: Iterable<Route>): void {
    this.#answerer.table.add(routes);
  }

  /** Uses another certificate for clients to come, where it uses TLS. */
  async renewTls(tls: ServerTls): Promise<void> {
    await this.#listener.handshakes?.renew(tls);
  }

  /**
   * Ends: accepts nobody more, lets requests that are at work be answered, and closes all when the
   * time is up. WebSockets that were accepted are not touched.
   *
   * @param timeoutMs `0` closes at once. @default {1_000}
   */
  async drain(timeoutMs?: number): Promise<void> {
    const limitMs = timerMs("timeoutMs", timeoutMs, DRAIN_TIMEOUT_MS);
    this.#draining = true;
    this.#acceptor.stop();
    this.#sockets.close();
    for (const connection of this.#connections.values()) {
      if (!connection.isBusy || limitMs === 0) connection.stream.destroy();
    }
    const timer = setTimeout(() => {
      for (const stream of this.#connections.keys()) stream.destroy();
    }, limitMs);
    await this.finished;
    clearTimeout(timer);
  }

  /** Closes everything at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
  }

  async #run(): Promise<void> {
    for (;;) {
      const conn = await this.#acceptor.next();
      if (!conn) break;
      if (this.#draining) closeQuietly(conn);
      else this.#accept(conn);
    }
    if (this.#connections.size > 0) await this.#empty.wait();
    this.#looking.stop();
    this.#givingWay[Symbol.dispose]();
    await this.#turns.close();
  }

  #accept(conn: Deno.Conn): void {
    let connection: HttpConnection;
    try {
      if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
      const stream = new ConnStream(conn, this.#httpTurns.ofStream(() => connection));
      connection = new HttpConnection(stream, this.#limits);
    } catch {
      // The peer reset it after it was accepted.
      return closeQuietly(conn);
    }
    if (this.#connections.size >= this.#limits.maxConnections && !this.#makeRoom()) {
      return this.#displace(connection.stream);
    }
    const { stream } = connection;
    this.#connections.set(stream, connection);
    stream.once("close", () => this.#forget(stream));
    this.#http.emit("connection", stream);
  }

  #makeRoom(): boolean {
    if (this.#givingWay.makeRoom(this.#limits.maxConnections)) return true;
    const all = [...this.#connections.values()];
    for (const phase of DISPENSABLE) {
      const found = all.find((connection) =>
        connection.phase === phase && connection.stream.writableLength === 0
      );
      if (!found) continue;
      this.#displace(found.stream);
      return true;
    }
    return false;
  }

  #displace(stream: Duplex): void {
    this.#displaced++;
    this.#forget(stream);
    stream.destroy();
  }

  #forget(stream: Duplex): void {
    this.#connections.delete(stream);
    if (this.#connections.size === 0) this.#empty.notify();
  }

  #look(now: number): void {
    for (const [stream, connection] of this.#connections) {
      if (connection.look(now)) {
        this.#refuse(stream, errorReply(408, "timed-out", "The request did not come in time"));
      }
    }
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (!connection) return void request.socket.destroy();
    if (!BODY_METHODS.has(request.method)) request.resume();
    connection.queue(async () => {
      const startedAt = performance.now();
      const turn = this.#httpTurns.ofRequest(connection);
      if (turn) await turn;
      const status = await this.#answerer.answer(connection, request, response);
      // Those that are idle for longest stay in front.
      if (this.#connections.delete(connection.stream)) {
        this.#connections.set(connection.stream, connection);
      }
      const { method = "", url = "" } = request;
      const [path] = url.split("?") as [string];
      const { remote } = connection;
      const durationMs = performance.now() - startedAt;
      this.#tell((observer) => observer.answered?.({ method, path, status, remote, durationMs }));
    }, ({ reply }) => this.#refuse(connection.stream, reply));
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const connection = this.#connections.get(stream);
    if (!connection) return void stream.destroy();
    // A reply that is still to come would be taken for a part of the WebSocket.
    if (connection.isBusy) {
      const message = "A WebSocket is asked for once all requests before are answered";
      return this.#refuseNext(stream, new WebError(400, "bad-handshake", message));
    }
    try {
      const { host, path } = this.#answerer.checkHead(connection, request);
      if (this.#answerer.site.origin(request.headers, host) === undefined) {
        throw this.#answerer.site.refusal();
      }
      checkWebSocketRequest(request, path);
      if (!this.#sockets.hasRoom) {
        throw new WebError(503, "unavailable", "No WebSocket is served here, or not now");
      }
    } catch (error) {
      return this.#refuse(stream, this.#answerer.failureReply(request, error));
    }
    this.#upgrades.handleUpgrade(request, stream as never, head, (socket) => {
      connection.upgraded();
      this.#forget(stream);
      this.#sockets.offer(new WebSocketConn(socket, connection.stream, new WebSocketInput()));
    });
  }

  /** A request that cannot be read, or a connection that broke. */
  #broken(error: Error, stream: Duplex): void {
    const { code } = error as { readonly code?: string };
    if (!code?.startsWith("HPE_")) return void stream.destroy();
    const refusal = code === "HPE_HEADER_OVERFLOW"
      ? new WebError(431, "head-too-large", "The headers are too large")
      : new WebError(400, "bad-request", "The request is no HTTP");
    this.#refuseNext(stream, refusal);
  }

  /** Answers what cannot be served, after the requests before it. */
  #refuseNext(stream: Duplex, refusal: WebError): void {
    if (this.#connections.get(stream)?.inputFailed(refusal)) return;
    this.#refuse(stream, refusal.reply);
  }

  /** Answers what is no request, as its last reply. */
  #refuse(stream: Duplex, reply: WebReply): void {
    const connection = this.#connections.get(stream);
    if (!connection || connection.isBusy) return void stream.destroy();
    // More of what cannot be read.
    if (connection.phase === "ending") return;
    const { remote } = connection;
    this.#tell((observer) => observer.refused?.(remote, reply.status));
    connection.endWith(reply);
  }

  #tell(call: (observer: WebObserver) => unknown): void {
    guard("The observer of a web server failed", () => call(this.#options.observer ?? {}));
  }
}

/** Serves on a listener, at once. */
export function serveWeb(listener: Listener, options?: WebServeOptions): WebServer;
/** Listens on an address, given as an object or as text, and serves there. */
export function serveWeb(
  address: Address | string,
  options?: WebServeOptions & ListenOptions,
): Promise<WebServer>;
/**
 * Serves HTTP/1.1: routes, and WebSockets as connections for another server. A listener is taken
 * over: draining closes it. For an address the result is a promise, and options of `listen` are taken
 * too.
 *
 * Every request has bounds in bytes and time, must name this server in `Host`, and gets the headers
 * by which a browser keeps pages of others out. Requests of one connection are answered one after the
 * other.
 *
 * @example
 * ```ts
 * import { jsonReply, serveWeb } from "@socktool/socktool/web";
 * import { formatAddress } from "@socktool/socktool/net";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serveWeb("127.0.0.1:0", {
 *   routes: [{
 *     method: "GET",
 *     path: "/api/greet/:name",
 *     handle: ({ params }) => jsonReply({ greeting: `Hello ${params["name"]}` }),
 *   }],
 * });
 * const response = await fetch(`http://${formatAddress(server.address)}/api/greet/Ada`);
 * assertEquals(await response.json(), { greeting: "Hello Ada" });
 * ```
 *
 * @throws {TypeError | RangeError} if an option cannot be used.
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export function serveWeb(
  target: ServeTarget,
  options: WebServeOptions & ListenOptions = {},
): WebServer | Promise<WebServer> {
  return serveOn(target, options, (listener, rest) => new WebServer(listener, rest));
}
