import { type Address, asciiHost, isWebSocket, toAddress } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { checkOptions } from "../base/option_kinds.ts";
import { ConnectionError } from "./connection_error.ts";
import { diagnose } from "./diagnose.ts";
import type { HandshakeLimits } from "./handshake_limits.ts";
import { listenLocalhost } from "./listen_localhost.ts";
import { listenUnix } from "./unix_socket.ts";
import type { Listener, ServerTls } from "./listener.ts";

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
  const limits = tls === undefined ? undefined : await limitsOf(tls);
  if (isWebSocket(address)) {
    const cause = new Error("a WebSocket is only dialled; an HTTP server accepts it");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
  try {
    if (address.transport === "unix") {
      return await listenUnix(address.path, tls !== undefined, wrap);
    }
    const { port } = address;
    const hostname = asciiHost(address.hostname);
    const tcp = { hostname, port, reusePort: options.reusePort ?? false, tcpBacklog: BACKLOG };
    const secure = tls && await tlsOver(tls, limits!);
    const listener = hostname.toLowerCase() === "localhost"
      ? listenLocalhost(tcp, wrap)
      : wrap(Deno.listen(tcp));
    return secure ? secure(listener) : listener;
  } catch (cause) {
    throw cause instanceof ConnectionError ? cause : await diagnose("listen", address, cause);
  }
}

async function limitsOf(tls: ServerTls): Promise<HandshakeLimits> {
  const { resolveServerTls } = await import("./handshake_limits.ts");
  return resolveServerTls(tls);
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

/** A listener of the runtime as one of ours. @param closed Called when it has been closed. */
function wrap(inner: Deno.Listener, closed?: () => void): Listener {
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    inner.close();
    closed?.();
  };
  return {
    address: addressOf(inner.addr),
    secure: false,
    accept: () => inner.accept(),
    close,
    [Symbol.dispose]: close,
  };
}
