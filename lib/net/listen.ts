import { type Address, asciiHost, isWebSocket, type TcpAddress, toAddress } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { checkOptions } from "../base/option_kinds.ts";
import { ConnectionError } from "./connection_error.ts";
import { diagnose } from "./diagnose.ts";
import { type HandshakeLimits, resolveServerTls } from "./handshake_limits.ts";
import { joinListeners } from "./join_listeners.ts";
import { listenLocalhost } from "./listen_localhost.ts";
import type { Listener, ServerTls } from "./listener.ts";
import "./tls_sayings.ts";
import { checkUnixSupport, isAbstract } from "./unix_socket.ts";

/** Options of {@linkcode listen}. */
export interface ListenOptions {
  /** Serve TLS with this certificate. @default {no TLS} */
  readonly tls?: ServerTls | undefined;
  /**
   * Let several listeners, in other threads or processes, share the port. Linux only.
   *
   * @default {false}
   */
  readonly reusePort?: boolean | undefined;
}

/**
 * How many connections the kernel queues until they are accepted, so that a burst of some thousands
 * is not dropped. The kernel may have a lower limit (`net.core.somaxconn`).
 */
const BACKLOG = 4_096;

/**
 * Listens on an address, which may be a text such as `127.0.0.1:0`. If a server that has died left
 * the file of its Unix socket behind, the file is replaced. Closing the listener removes the file.
 * `localhost` is both 127.0.0.1 and ::1, where the system has both.
 * An abstract name (`unix:@NAME`, on Linux only) has no file: any program of this machine that shares
 * the network namespace can connect to it.
 *
 * @example
 * ```ts
 * import { listen } from "@socktool/socktool/net";
 * import { assert } from "@std/assert";
 *
 * using listener = await listen("127.0.0.1:0");
 * assert(listener.address.transport === "tcp" && listener.address.port > 0);
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {TypeError | RangeError} if an option is not what it has to be.
 * @throws {ConnectionError} with operation `listen`
 */
export async function listen(
  target: Address | string,
  options: ListenOptions = {},
): Promise<Listener> {
  const address = toAddress(target);
  checkOptions(options, { reusePort: "flag" });
  const { tls } = options;
  const limits = tls === undefined ? undefined : resolveServerTls(tls);
  if (isWebSocket(address)) {
    const cause = new Error("a WebSocket is only dialled; an HTTP server accepts it");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
  try {
    if (address.transport === "unix") return await listenUnix(address.path, options);
    const { port } = address;
    const hostname = asciiHost(address.hostname);
    const tcp = { hostname, port, reusePort: options.reusePort ?? false, tcpBacklog: BACKLOG };
    const secure = tls && await tlsOver(tls, limits!);
    const isLocal = hostname.toLowerCase() === "localhost";
    const listener = isLocal ? listenOnLocalhost(tcp) : wrapTcp(Deno.listen(tcp));
    return secure ? secure(listener) : listener;
  } catch (cause) {
    throw cause instanceof ConnectionError ? cause : await diagnose("listen", address, cause);
  }
}

function listenOnLocalhost(options: Deno.TcpListenOptions): Listener {
  const [first, second] = listenLocalhost(options).map(wrapTcp) as [Listener, Listener?];
  if (second === undefined) return first;
  const { port } = first.address as TcpAddress;
  return joinListeners(first, second, { transport: "tcp", hostname: "localhost", port });
}

function wrapTcp(inner: Deno.Listener): Listener {
  return wrap(inner, () => inner.close());
}

/** What makes TLS of plain connections. Its modules are loaded only if they are used. */
async function tlsOver(
  tls: ServerTls,
  limits: HandshakeLimits,
): Promise<(inner: Listener) => Listener> {
  const { checkCertificate } = await import("./server_certificate.ts");
  const { TlsListener } = await import("./tls_listener.ts");
  const certificate = checkCertificate(tls, limits);
  return (inner) => new TlsListener(inner, certificate);
}

async function listenUnix(path: string, options: ListenOptions): Promise<Listener> {
  const address = { transport: "unix", path } as const;
  checkUnixSupport("listen", address);
  if (options.tls) {
    const cause = new Error("TLS on a Unix socket is not supported");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
  let inner: Deno.UnixListener;
  try {
    inner = Deno.listen({ transport: "unix", path });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse) || !(await isStale(path))) throw error;
    await Deno.remove(path);
    inner = Deno.listen({ transport: "unix", path });
  }
  return wrap(inner, () => {
    inner.close();
    if (isAbstract(address)) return;
    try {
      Deno.removeSync(path);
    } catch {
      // It was removed by somebody else.
    }
  });
}

/** Whether the file is a socket that nobody listens on. */
async function isStale(path: string): Promise<boolean> {
  if (isAbstract({ path })) return false;
  try {
    if (!(await Deno.lstat(path)).isSocket) return false;
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

function wrap(inner: Deno.Listener, closeInner: () => void): Listener {
  let open = true;
  const close = () => {
    if (open) closeInner();
    open = false;
  };
  return {
    address: addressOf(inner.addr),
    secure: false,
    accept: () => inner.accept(),
    close,
    [Symbol.dispose]: close,
  };
}
