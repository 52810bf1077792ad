/**
 * Addresses to listen on and to dial, and the grammar in which users write them.
 *
 * @module
 */
import { countOption, numericOption } from "../base/numeric_options.ts";
import { checkGiven, checkOptions } from "../base/option_kinds.ts";
import { valueKind } from "../base/value_kind.ts";

/** A TCP endpoint: a name or an IP address (IPv6 without brackets), and a port from 0 to 65535. */
export interface TcpAddress {
  /** Which kind of address it is. */
  readonly transport: "tcp";
  /** A host name or an IP address. */
  readonly hostname: string;
  /** The port; a listener takes a free one for 0. */
  readonly port: number;
}

/** A Unix domain socket. */
export interface UnixAddress {
  /** Which kind of address it is. */
  readonly transport: "unix";
  /**
   * The path of the socket's file; or an abstract name behind a NUL character, which is no file and
   * exists on Linux only.
   */
  readonly path: string;
}

/** A WebSocket of an HTTP server: it is dialled, not listened on. */
export interface WebSocketAddress {
  /** Which kind of address it is; `wss` is with TLS. */
  readonly transport: "ws" | "wss";
  /** A host name or an IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** The path of the URL, with its query: `/ws`. */
  readonly path: string;
}

/**
 * An endpoint of any transport. Whether a connection to it uses TLS is part of it for WebSockets
 * only.
 */
export type Address = TcpAddress | UnixAddress | WebSocketAddress;

const PORT = countOption(undefined, 0, 65_535);

/** Defaults for the parts that a text leaves out. */
export interface AddressDefaults {
  /**
   * The host of `:PORT`.
   *
   * @default {"127.0.0.1"}
   */
  readonly hostname?: string | undefined;
  /** The port of a text without one. Without this default such a text is an error. */
  readonly port?: number | undefined;
}

/** A text that is not an address. */
export class AddressError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "AddressError";
  /** Always `bad-address`. */
  readonly code = "bad-address";
  /** The text. */
  readonly text: string;

  /** Made by {@linkcode parseAddress}; `problem` says what is wrong with the text. */
  constructor(text: string, problem: string) {
    super(`Cannot read the address ${JSON.stringify(text)}: ${problem}`);
    this.text = text;
  }
}

const SHAPES = "write HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH, unix:@NAME or ws://HOST:PORT/PATH";

/** Where a URL names no port. */
const WEB_SOCKET_PORTS = { ws: 80, wss: 443 } as const;

/**
 * Reads an address: `HOST:PORT`, `[::1]:PORT`, `:PORT`, `unix:PATH`, or `unix:@NAME` for an abstract
 * Unix socket; with a default port also `HOST` or `[::1]` alone. A file whose name begins with `@` is
 * written `unix:./@file`. For clients also the URL of a WebSocket: `ws://HOST:PORT/ws`, with TLS
 * `wss://`.
 *
 * @example
 * ```ts
 * import { parseAddress } from "@socktool/socktool/net";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseAddress("[::1]:5634"), { transport: "tcp", hostname: "::1", port: 5634 });
 * assertEquals(parseAddress("unix:/run/x.sock"), { transport: "unix", path: "/run/x.sock" });
 * ```
 *
 * @throws {AddressError} if the text is no address, or its port is not a whole number up to 65535.
 * @throws {TypeError | RangeError} if the default is no such port.
 */
export function parseAddress(text: string, defaults: AddressDefaults = {}): Address {
  checkGiven("address", text, "text");
  checkOptions(defaults, { hostname: "text" }, "defaults");
  if (text.startsWith("unix:")) {
    const written = text.slice("unix:".length);
    const path = written.startsWith("@") ? `\0${written.slice(1)}` : written;
    const problem = pathProblem(path);
    if (problem !== undefined) throw new AddressError(text, problem);
    return { transport: "unix", path };
  }
  if (text === "") throw new AddressError(text, SHAPES);
  if (/^wss?:\/\//i.test(text)) return parseWebSocket(text);
  if (text.startsWith("[")) {
    const close = text.indexOf("]");
    if (close < 0) throw new AddressError(text, "the closing bracket is missing");
    const hostname = text.slice(1, close);
    const rest = text.slice(close + 1);
    if (!isIpv6(hostname)) throw new AddressError(text, "in brackets stands an IPv6 address");
    if (rest !== "" && !rest.startsWith(":")) throw new AddressError(text, SHAPES);
    return tcp(text, hostname, rest === "" ? undefined : rest.slice(1), defaults);
  }
  const colon = text.indexOf(":");
  if (colon < 0) return tcp(text, text, undefined, defaults);
  if (text.indexOf(":", colon + 1) >= 0) {
    if (isIpv6(text)) {
      throw new AddressError(text, `an IPv6 address needs brackets: [${text}]:PORT`);
    }
    throw new AddressError(text, SHAPES);
  }
  return tcp(text, text.slice(0, colon), text.slice(colon + 1), defaults);
}

/**
 * Reads a host and a port that are two words, as in `app-client 127.0.0.1 5634 …`. An IPv6 address
 * may be written with or without brackets.
 *
 * @throws {AddressError} if either is not one.
 */
export function parseHostPort(host: string, port: string): TcpAddress {
  checkGiven("host", host, "text");
  checkGiven("port", port, "text");
  const bracketed = host.startsWith("[") && host.endsWith("]");
  const hostname = bracketed ? host.slice(1, -1) : host;
  if ((bracketed || host.includes(":")) && !isIpv6(hostname)) {
    throw new AddressError(`${host} ${port}`, `${JSON.stringify(host)} is no IPv6 address`);
  }
  return tcp(`${host} ${port}`, hostname, port, {});
}

/**
 * Formats an address so that {@linkcode parseAddress} can read it.
 *
 * @example
 * ```ts
 * import { formatAddress } from "@socktool/socktool/net";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatAddress({ transport: "tcp", hostname: "::1", port: 80 }), "[::1]:80");
 * ```
 *
 * @throws {TypeError} if it is no {@linkcode Address}.
 */
export function formatAddress(address: Address): string {
  checkShape(address);
  if (address.transport === "unix") {
    const { path } = address;
    if (path.startsWith("\0")) return `unix:@${path.slice(1)}`;
    return path.startsWith("@") ? `unix:./${path}` : `unix:${path}`;
  }
  const { hostname, port } = address;
  const where = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  return address.transport === "tcp" ? where : `${address.transport}://${where}${address.path}`;
}

/** Whether an address is of a WebSocket. */
export function isWebSocket(address: Address): address is WebSocketAddress {
  return address.transport === "ws" || address.transport === "wss";
}

function parseWebSocket(text: string): WebSocketAddress {
  const [, scheme, authority, path = "/"] = /^(wss?):\/\/([^/?#\s]+)([/?][^#\s]*)?$/i.exec(text) ??
    [];
  // It may have a password in it, which is not repeated.
  if (/^wss?:\/\/[^/?#]*@/i.test(text)) {
    throw new AddressError("ws://…@…", "a user is not part of it");
  }
  if (scheme === undefined) {
    throw new AddressError(text, "write ws://HOST:PORT/PATH or wss://HOST:PORT/PATH");
  }
  const transport = scheme.toLowerCase() as keyof typeof WEB_SOCKET_PORTS;
  const where = parseAddress(authority!, { port: WEB_SOCKET_PORTS[transport] }) as TcpAddress;
  return { ...where, transport, path: path.startsWith("?") ? `/${path}` : path };
}

/**
 * Makes an {@linkcode Address} of one, or of the text of one. Functions that take either call it
 * first.
 *
 * @throws {AddressError} if a text is no address, or an address has a host, port or path that cannot
 * be.
 * @throws {TypeError} if it is neither a text nor an {@linkcode Address}.
 */
export function toAddress(address: Address | string): Address {
  if (typeof address === "string") return parseAddress(address);
  const problem = problemOf(address);
  if (problem !== undefined) throw new AddressError(formatAddress(address), problem);
  return address;
}

/** What is wrong with an address; `undefined` if nothing is. */
function problemOf(address: Address): string | undefined {
  checkShape(address);
  if (address.transport === "unix") return pathProblem(address.path);
  const { hostname, port } = address;
  const problem = hostProblem(hostname) ??
    (isPort(port) ? undefined : `the port ${port} is not a number from 0 to 65535`);
  if (problem !== undefined || address.transport === "tcp") return problem;
  return /^\/[^\s#]*$/.test(address.path)
    ? undefined
    : "the path must begin with /, and has no # or blank";
}

/** @throws {TypeError} if it is no address. Its parts need not be right. */
function checkShape(address: Address): void {
  const { transport, path, hostname } = new Object(address) as Readonly<Record<string, unknown>>;
  const isUrl = transport === "ws" || transport === "wss";
  const hasHost = transport === "tcp" || isUrl;
  const isWhole = (!hasHost || typeof hostname === "string") &&
    (!isUrl && transport !== "unix" || typeof path === "string");
  if (isWhole && (hasHost || transport === "unix")) return;
  throw new TypeError(`Cannot use ${valueKind(address)} as an address: ${SHAPES}`);
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535;
}

function pathProblem(path: string): string | undefined {
  if (path === "") return "the path after unix: is empty";
  if (path === "\0") return "the name after unix:@ is empty";
  if (path.includes("\0", 1)) return "a path has no NUL character";
  return undefined;
}

/** What is wrong with a host name or an IP address; `undefined` if nothing is. */
export function hostProblem(host: string): string | undefined {
  if (host === "*") return "* is no host name: all interfaces are 0.0.0.0 (IPv4) or [::]";
  return isIpv6(host) || HOST_NAME.test(asciiHost(host))
    ? undefined
    : `${JSON.stringify(host)} is no host name`;
}

/** Labels of letters, digits, hyphens and underscores, and one full stop between two. */
const HOST_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i;

/** A host name as name servers know it: `bücher.example` is `xn--bcher-kva.example` to them. */
export function asciiHost(hostname: string): string {
  // Other characters in ASCII have a meaning in URLs.
  if (!/[^\0-\x7f]/.test(hostname) || /[\0-\x7f]/.test(hostname.replace(/[a-z0-9_.-]/gi, ""))) {
    return hostname;
  }
  const url = `http://${hostname}`;
  return URL.canParse(url) ? new URL(url).hostname : hostname;
}

/**
 * What an address has in common with others that one owner is likely to have: an IPv4 address as it
 * is, of an IPv6 address the first 64 bits, `unix` for all Unix sockets.
 */
export function networkOf(address: Address): string {
  checkShape(address);
  if (address.transport === "unix") return "unix";
  const { hostname } = address;
  if (!hostname.includes(":")) return hostname;
  const [left = "", right] = hostname.replace(/%.*$/, "").split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right ? right.split(":") : [];
  const zeros = right === undefined
    ? []
    : Array(Math.max(0, 8 - head.length - tail.length)).fill("0");
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(":")}::/64`;
}

/** Whether only programs on this machine can connect to the address. */
export function isLoopback(address: Address): boolean {
  checkShape(address);
  if (address.transport === "unix") return true;
  const { hostname } = address;
  return hostname === "localhost" || hostname === "::1" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function tcp(
  text: string,
  hostname: string,
  port: string | undefined,
  defaults: AddressDefaults,
): TcpAddress {
  const defaultPort = numericOption("port", defaults.port, PORT);
  const host = hostname === "" ? defaults.hostname ?? "127.0.0.1" : hostname;
  const problem = hostProblem(host);
  if (problem !== undefined) throw new AddressError(text, problem);
  if (port === undefined) {
    if (defaultPort === undefined) throw new AddressError(text, "the port is missing");
    return { transport: "tcp", hostname: host, port: defaultPort };
  }
  const number = /^\d{1,9}$/.test(port) ? Number(port) : NaN;
  if (!(number <= 65_535)) {
    throw new AddressError(
      text,
      `the port ${JSON.stringify(port)} is not a number from 0 to 65535`,
    );
  }
  return { transport: "tcp", hostname: host, port: number };
}

function isIpv6(text: string): boolean {
  return URL.canParse(`tcp://[${text.replace(/%.*$/, "")}]`);
}
