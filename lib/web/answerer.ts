import type { IncomingMessage, ServerResponse } from "node:http";
import { Budget } from "../base/budget.ts";
import { guard, reportError } from "../base/report.ts";
import { networkOf } from "../net/mod.ts";
import type { HttpConnection } from "./http_connection.ts";
import { login } from "./login.ts";
import { readBody } from "./read_body.ts";
import { checkedReply, errorReply, WebError, type WebReply } from "./reply.ts";
import { type Method, METHODS, RouteTable, type WebRequest } from "./route.ts";
import { SECURITY_HEADERS } from "./security_headers.ts";
import { Site } from "./site.ts";
import type { WebServeOptions } from "./web_options.ts";

/** A request line and headers that are larger are refused (431). */
export const MAX_HEAD_BYTES = 8_192;

/** What a server that answers is like. */
export interface AnswererSurroundings {
  readonly isSecure: boolean;
  /** The most bytes of contents and replies. */
  readonly maxMemoryBytes: number;
  /** For finding out who asks. */
  readonly loginTimeoutMs: number;
  isDraining(): boolean;
  /** What a client is told that asks for a path which no route has, but something else. */
  elsewhere(path: string): WebError | undefined;
}

/** What a request is for. */
export interface Target {
  /** With the port. */
  readonly host: string;
  /** With the query. */
  readonly path: string;
}

/** Answers requests by routes. */
export class Answerer {
  readonly site: Site;
  readonly table = new RouteTable();
  readonly #options: WebServeOptions;
  readonly #memory: Budget;
  readonly #loginTimeoutMs: number;
  readonly #isSecure: boolean;
  readonly #isDraining: () => boolean;
  readonly #elsewhere: (path: string) => WebError | undefined;

  /** @throws {TypeError} if an option cannot be used. */
  constructor(options: WebServeOptions, surroundings: AnswererSurroundings) {
    const { isSecure, maxMemoryBytes, loginTimeoutMs, isDraining, elsewhere } = surroundings;
    this.site = new Site(options);
    if (options.routes !== undefined) this.table.add(options.routes);
    this.#options = options;
    this.#memory = new Budget("the web server", maxMemoryBytes);
    this.#loginTimeoutMs = loginTimeoutMs;
    this.#isSecure = isSecure;
    this.#isDraining = isDraining;
    this.#elsewhere = elsewhere;
  }

  /** Answers a request. Resolves to the status when the reply was taken. Never rejects. */
  async answer(
    connection: HttpConnection,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<number> {
    let cors: Readonly<Record<string, string>> = {};
    let reply: WebReply;
    try {
      const { method = "" } = request;
      const target = this.checkHead(connection, request);
      const allowed = this.site.origin(request.headers, target.host);
      if (allowed) cors = allowed;
      else if (method !== "GET" && method !== "HEAD") throw this.site.refusal();
      reply = method === "OPTIONS" && cors["vary"] !== undefined
        ? preflight()
        : checkedReply(await this.#route(connection, request, response, target));
    } catch (error) {
      reply = this.failureReply(request, error);
    }
    return await this.#send(connection, request, response, reply, cors);
  }

  /**
   * Checks the head of a request, and whether it is for this server.
   *
   * @returns What it is for.
   * @throws {WebError} if it is not.
   */
  checkHead(connection: HttpConnection, request: IncomingMessage): Target {
    const { url = "", rawHeaders, httpVersionMajor } = request;
    // The parser counts names and values only.
    const size = rawHeaders.reduce((sum, text) => sum + text.length + 2, url.length);
    if (size > MAX_HEAD_BYTES) {
      const headers = { connection: "close" };
      throw new WebError(431, "head-too-large", "The headers are too large", headers);
    }
    if (httpVersionMajor !== 1) {
      throw new WebError(505, "bad-version", "Only HTTP/1.1 is spoken", { connection: "close" });
    }
    const coding = request.headers["transfer-encoding"];
    if (coding !== undefined && coding.toLowerCase() !== "chunked") {
      const headers = { connection: "close" };
      throw new WebError(501, "bad-coding", "A content comes as it is, or in chunks", headers);
    }
    const { localAddr } = connection.stream.conn;
    const local = "hostname" in localAddr ? localAddr.hostname : undefined;
    const [, asked, rest = url] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
    const host = this.site.host(rawHeaders, local, asked);
    const path = asked === undefined || rest.startsWith("/") ? rest : `/${rest}`;
    if (!path.startsWith("/")) throw new WebError(400, "bad-path", "Ask for a path, as /live");
    return { host, path };
  }

  async #route(
    connection: HttpConnection,
    request: IncomingMessage,
    response: ServerResponse,
    { host, path }: Target,
  ): Promise<WebReply> {
    const { headers } = request;
    if (headers.expect !== undefined && headers.expect.toLowerCase() !== "100-continue") {
      throw new WebError(417, "bad-expectation", "Only 100-continue can be expected");
    }
    const method = request.method === "HEAD" ? "GET" : request.method as Method;
    const url = new URL(`http${this.#isSecure ? "s" : ""}://${host}${path}`);
    const found = this.#find(method, url.pathname);
    if (found === undefined) throw this.#elsewhere(url.pathname) ?? this.#missing(url.pathname);
    if (!("route" in found)) {
      const allow = found.flatMap((each) => each === "GET" ? [each, "HEAD"] : [each]).join(", ");
      throw new WebError(405, "bad-method", `${request.method} does not work here`, { allow });
    }
    const { route, params } = found;
    const gone = new AbortController();
    const leave = () => gone.abort();
    response.once("close", leave);
    connection.onLeft = leave;
    const { remote } = connection;
    const { authenticator } = this.#options;
    const attempt = { peer: networkOf(remote), signal: gone.signal };
    const principal = authenticator === undefined || route.isPublic
      ? undefined
      : await login(headers.authorization, authenticator, attempt, this.#loginTimeoutMs);
    const webRequest: WebRequest = {
      method,
      url,
      params,
      principal,
      remote,
      signal: gone.signal,
      header(name) {
        const value = headers[name];
        return Array.isArray(value) ? value.join(", ") : value;
      },
      body: () => {
        const maxBytes = route.maxBodyBytes ?? 0;
        const begin = () => void (headers.expect && response.writeContinue());
        return readBody(connection, request, { maxBytes, memory: this.#memory, begin });
      },
    };
    return await route.handle(webRequest);
  }

  #find(method: Method, path: string): ReturnType<RouteTable["find"]> {
    try {
      return this.table.find(method, path);
    } catch {
      throw new WebError(400, "bad-path", "The path is wrongly encoded");
    }
  }

  #missing(path: string): WebError {
    if (!this.#options.isStarting?.()) return new WebError(404, "not-found", `There is no ${path}`);
    return new WebError(503, "starting", "The server is starting", { "retry-after": "1" });
  }

  /** The reply that tells of a failure. One that is none of the client's is reported. */
  failureReply({ url = "" }: IncomingMessage, error: unknown): WebReply {
    if (error instanceof WebError) return error.reply;
    // Who has left hardly reads it.
    if (error instanceof DOMException && error.name === "AbortError") {
      return errorReply(503, "cancelled", "The client ended the connection before its answer");
    }
    const { observer } = this.#options;
    if (observer?.failed) {
      guard("The observer of a web server failed", () => observer.failed?.(url, error));
    } else reportError(error, `Answering ${url} failed`);
    return errorReply(500, "internal", "The server failed to answer the request");
  }

  async #send(
    connection: HttpConnection,
    request: IncomingMessage,
    response: ServerResponse,
    reply: WebReply,
    cors: Readonly<Record<string, string>>,
  ): Promise<number> {
    let { status, headers, body = "" } = reply;
    let bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    if (!this.#memory.tryTake(bytes.length)) {
      const refusal = errorReply(503, "over-budget", "Too many replies wait to be taken");
      ({ status, headers, body = "" } = refusal);
      bytes = new TextEncoder().encode(body as string);
      this.#memory.take(bytes.length);
    }
    // What is left of a content that nobody wanted is dropped as it comes, until the connection ends.
    const isLast = this.#isDraining() || !request.complete || headers?.["connection"] === "close";
    const isEmpty = status === 204 || status === 304;
    response.writeHead(status, {
      ...SECURITY_HEADERS,
      ...headers,
      ...cors,
      ...vary(headers, cors),
      ...(isEmpty ? {} : { "content-length": bytes.length }),
      ...(isLast ? { connection: "close" } : {}),
    });
    const { stream } = connection;
    if (!stream.destroyed) {
      await new Promise<void>((resolve) => {
        response.once("close", resolve);
        response.end(isEmpty || request.method === "HEAD" ? undefined : bytes, resolve);
      });
    }
    this.#memory.give(bytes.length);
    if (isLast) connection.end();
    return status;
  }
}

/** What a page of another origin may send. */
function preflight(): WebReply {
  return {
    status: 204,
    headers: {
      "access-control-allow-methods": METHODS.join(", "),
      "access-control-allow-headers": "authorization, content-type",
      "access-control-max-age": "600",
    },
  };
}

/** Both may name what the reply depends on. */
function vary(...all: (Readonly<Record<string, string>> | undefined)[]): Record<string, string> {
  const names = all.flatMap((headers) => headers?.["vary"] ?? []);
  return names.length > 0 ? { vary: names.join(", ") } : {};
}
