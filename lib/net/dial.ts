import {
  type Address,
  AddressError,
  asciiHost,
  formatAddress,
  hostProblem,
  isWebSocket,
  type TcpAddress,
  toAddress,
  type WebSocketAddress,
} from "./address.ts";
import { closeQuietly } from "../base/close_quietly.ts";
import { ConnectionError } from "./connection_error.ts";
import { DialLimit } from "./dial_limit.ts";
import { checkOptions, type OptionKinds } from "../base/option_kinds.ts";
import { timerMs } from "../base/timer_ms.ts";
import "./tls_sayings.ts";
import { checkUnixSupport } from "./unix_socket.ts";

/** TLS settings of a client. */
export interface ClientTls {
  /** Certificates in PEM that are trusted in addition to the system's. */
  readonly caCerts?: readonly string[] | undefined;
  /** The name that the server's certificate must have. @default {the host that is dialled} */
  readonly serverName?: string | undefined;
  /**
   * Accept any certificate. Whoever answers is taken for the server, and can read and change
   * everything: for tests and for looking at a server whose certificate is broken.
   *
   * @default {false}
   */
  readonly insecure?: boolean | undefined;
}

/** Options of {@linkcode dial}. */
export interface DialOptions {
  /** Connect with TLS, with these settings. @default {no TLS; for `wss:` the system's trust} */
  readonly tls?: ClientTls | undefined;
  /** The time limit for name lookup, connection and TLS handshake together. @default {10_000} */
  readonly timeoutMs?: number | undefined;
  /** When it is aborted, dialling stops and rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const TLS_KINDS: OptionKinds<ClientTls> = {
  caCerts: "texts",
  serverName: "text",
  insecure: "flag",
};

/** The default of {@linkcode DialOptions.timeoutMs}. */
export const DEFAULT_DIAL_TIMEOUT_MS = 10_000;

/**
 * Connects to an address, which may be a text such as `localhost:5635`. The caller has to close the
 * connection. Small writes are sent at once (`TCP_NODELAY`).
 *
 * The connection of a WebSocket (`ws://localhost:9090/ws`) carries bytes as any other, in binary
 * messages, but has no half-close: `closeWrite` begins to close it as a whole.
 *
 * @example
 * ```ts
 * import { dial, listen } from "@socktool/socktool/net";
 *
 * using listener = await listen("127.0.0.1:0");
 * using conn = await dial(listener.address, { timeoutMs: 1_000 });
 * await conn.write(new TextEncoder().encode("hello"));
 * ```
 *
 * @throws {AddressError} if a text is no address, or `serverName` is no host name.
 * @throws {ConnectionError} with operation `connect` or `tls-handshake`
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 */
export async function dial(
  target: Address | string,
  options: DialOptions = {},
): Promise<Deno.Conn> {
  const address = toAddress(target);
  checkOptions(options, { signal: "signal" });
  const { signal, tls } = options;
  const timeoutMs = timerMs("timeoutMs", options.timeoutMs, DEFAULT_DIAL_TIMEOUT_MS);
  if (tls !== undefined) checkClientTls(tls, address);
  const socket = isWebSocket(address) ? await import("./dial_web_socket.ts") : undefined;
  const isSecure = address.transport === "wss" || tls !== undefined;
  signal?.throwIfAborted();
  using limit = new DialLimit(timeoutMs, signal);
  try {
    let conn = await connect(address, limit.signal);
    if (isSecure) {
      limit.operation = "tls-handshake";
      conn = await startTls(conn, address, tls ?? {}, limit.signal);
      limit.operation = "connect";
    }
    return socket
      ? await socket.startWebSocket(conn, address as WebSocketAddress, limit.signal)
      : conn;
  } catch (cause) {
    throw await limit.failure(address, cause);
  }
}

/**
 * Makes TLS of a TCP connection on which nothing is being read, where a protocol begins without it.
 *
 * @param signal Gives up when it is aborted.
 * @returns What is to be used instead. If it fails, the connection is closed.
 * @throws {ConnectionError} with operation `tls-handshake`
 * @throws {AddressError} if `serverName` is no host name.
 */
export async function upgradeToTls(
  conn: Deno.Conn,
  address: TcpAddress,
  tls: ClientTls,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  try {
    checkClientTls(tls, address);
    return await startTls(conn, address, tls, signal);
  } catch (cause) {
    closeQuietly(conn);
    if (cause instanceof ConnectionError || cause instanceof AddressError) throw cause;
    const code = signal.aborted ? "timed-out" : undefined;
    throw new ConnectionError("tls-handshake", address, cause, code);
  }
}

/** Checks what the runtime takes in silence, or complains of late and in its own words. */
export function checkClientTls(tls: ClientTls, address: Address): void {
  checkOptions(tls, TLS_KINDS, "tls");
  const { caCerts = [], serverName } = tls;
  if (address.transport === "ws") {
    // Ignoring it would send in the clear what was meant to be secret.
    throw new AddressError(formatAddress(address), "for TLS write wss:// instead of ws://");
  }
  const problem = serverName === undefined ? undefined : hostProblem(serverName);
  if (problem !== undefined) throw new AddressError(serverName!, problem);
  const empty = caCerts.findIndex((pem) => !pem.includes("-----BEGIN CERTIFICATE-----"));
  if (empty < 0) return;
  const cause = new Error(`No certificates found in caCerts[${empty}]`);
  throw new ConnectionError("tls-handshake", address, cause);
}

async function connect(address: Address, signal: AbortSignal): Promise<Deno.Conn> {
  if (address.transport !== "unix") {
    const { port } = address;
    const hostname = asciiHost(address.hostname);
    if (port === 0) throw new Error("port 0 is only for servers");
    const conn = await Deno.connect({ hostname, port, signal });
    try {
      conn.setNoDelay(true);
      return conn;
    } catch (error) {
      // macOS refuses it for a connection that the peer has reset meanwhile.
      closeQuietly(conn);
      throw error;
    }
  }
  checkUnixSupport("connect", address);
  const connecting = Deno.connect({ transport: "unix", path: address.path });
  return await beforeAbort(connecting, signal);
}

async function startTls(
  conn: Deno.Conn,
  address: Address,
  tls: ClientTls,
  signal: AbortSignal,
): Promise<Deno.Conn> {
  if (address.transport === "unix") {
    conn.close();
    const cause = new Error("TLS on a Unix socket is not supported");
    throw new ConnectionError("connect", address, cause, "not-supported");
  }
  const hostname = asciiHost(tls.serverName ?? address.hostname);
  if (tls.insecure) {
    // Loaded only where it is used: every client starts with this file.
    const { startNodeTls } = await import("./node_tls.ts");
    return await startNodeTls(conn, hostname, { insecure: true }, signal);
  }
  let secure: Deno.TlsConn;
  try {
    secure = await Deno.startTls(conn as Deno.TcpConn, {
      hostname,
      caCerts: [...tls.caCerts ?? []],
    });
  } catch (error) {
    // Deno may have closed it already.
    closeQuietly(conn);
    throw error;
  }
  try {
    await beforeAbort(secure.handshake().then(() => secure), signal);
    return secure;
  } catch (error) {
    // It may have been closed when the time was up.
    closeQuietly(secure);
    throw error;
  }
}

/** Waits for a connection or the abort. A connection that is made after the abort is closed. */
async function beforeAbort(promise: Promise<Deno.Conn>, signal: AbortSignal): Promise<Deno.Conn> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } catch (error) {
    promise.then((conn) => conn.close()).catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
