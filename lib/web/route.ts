import { bytesOption, numericOption } from "../base/numeric_options.ts";
import { checkGiven, checkKind, refusal } from "../base/option_kinds.ts";
import type { Principal } from "../access/mod.ts";
import type { Address } from "../net/mod.ts";
import type { WebReply } from "./reply.ts";

/** A request, as the handler of a {@linkcode Route} sees it. */
export interface WebRequest {
  /** `GET` also for `HEAD`. */
  readonly method: Method;
  /** The whole URL: its host is that of the header `Host`. */
  readonly url: URL;
  /** What stands in the place of each `:name` of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Who asks; `undefined` where the server has no authenticator. */
  readonly principal: Principal | undefined;
  /** Where the client is. */
  readonly remote: Address;
  /**
   * Is aborted when the client leaves before it has its reply. One that closes its sending half within
   * 100 ms of its request waits for the reply.
   */
  readonly signal: AbortSignal;
  /** A header by its name in lower case; several of one name are joined by `, `. */
  header(name: string): string | undefined;
  /**
   * Reads the content, once.
   *
   * @throws {WebError} 413 if it is larger than the route's `maxBodyBytes`, 408 if it comes too slowly.
   */
  body(): Promise<Uint8Array<ArrayBuffer>>;
}

/** The methods that a route may have. */
export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** All of them. */
export const METHODS: readonly Method[] = ["GET", "POST", "PUT", "DELETE"];

/** What is answered at one path. */
export interface Route {
  /** `GET` answers `HEAD` too. */
  readonly method: Method;
  /** Such as `/api/entry/:key`: `:key` is one segment, which may hold `%2F`. */
  readonly path: string;
  /**
   * Whether it is answered to everybody who reaches the server, also where there is an authenticator,
   * as the pages are that ask for a login. Without it, `principal` is there where an authenticator is;
   * what the principal may do is for the handler to check.
   *
   * @default {false}
   */
  readonly isPublic?: boolean | undefined;
  /** The most content that a request may have, in bytes. @default {0} */
  readonly maxBodyBytes?: number | undefined;
  /** Makes the reply. What it throws that is no `WebError` is answered by 500 and reported. */
  handle(request: WebRequest): WebReply | Promise<WebReply>;
}

const BODY = bytesOption(0);

/** A route, and what stands in the place of its parameters. */
export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the route of a request. */
export class RouteTable {
  /** By path, for paths without parameters; then by method. */
  readonly #fixed = new Map<string, Map<Method, Route>>();
  /** Paths with parameters, cut at their slashes. */
  readonly #patterns: { readonly segments: readonly string[]; readonly route: Route }[] = [];

  /**
   * Adds routes.
   *
   * @throws {TypeError} if a route is none, or has the method and path of another one.
   * @throws {TypeError | RangeError} if `maxBodyBytes` is no number of bytes.
   */
  add(routes: Iterable<Route>): void {
    if (typeof routes !== "object" || routes === null || !(Symbol.iterator in routes)) {
      throw new TypeError(refusal("routes", routes, "an array of routes"));
    }
    for (const route of routes) {
      checkGiven("route", route, "object");
      const { method, path } = route;
      if (!METHODS.includes(method)) {
        throw new TypeError(refusal("route.method", method, `one of ${METHODS.join(", ")}`));
      }
      checkGiven("route.path", path, "text");
      if (!path.startsWith("/")) {
        throw new TypeError(refusal("route.path", path, "a path, as /live"));
      }
      checkGiven("route.handle", route.handle, "function");
      checkKind("route.isPublic", route.isPublic, "flag");
      numericOption("maxBodyBytes", route.maxBodyBytes, BODY);
      if (path.includes("/:")) {
        this.#patterns.push({ segments: path.split("/"), route });
        continue;
      }
      const methods = this.#fixed.get(path) ?? new Map<Method, Route>();
      if (methods.has(method)) throw new TypeError(`Two routes are ${method} ${path}`);
      this.#fixed.set(path, methods.set(method, route));
    }
  }

  /**
   * Finds the route.
   *
   * @param path As it came, percent-encoded.
   * @returns The methods of the path where it has others only; `undefined` where there is no such path.
   * @throws {URIError} if a parameter is wrongly encoded.
   */
  find(method: Method, path: string): Match | readonly Method[] | undefined {
    const found = this.#ofPath(path);
    const match = found.find(({ route }) => route.method === method);
    if (match) return match;
    return found.length === 0 ? undefined : found.map(({ route }) => route.method);
  }

  #ofPath(path: string): Match[] {
    const fixed = this.#fixed.get(path);
    if (fixed) return [...fixed.values()].map((route) => ({ route, params: {} }));
    const segments = path.split("/");
    return this.#patterns.filter((pattern) => fits(pattern.segments, segments))
      .map(({ route, segments: names }) => ({ route, params: paramsOf(names, segments) }));
  }
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length === segments.length &&
    pattern.every((each, i) => each.startsWith(":") ? segments[i] !== "" : each === segments[i]);
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  pattern.forEach((each, i) => {
    if (each.startsWith(":")) params[each.slice(1)] = decodeURIComponent(segments[i]!);
  });
  return params;
}
