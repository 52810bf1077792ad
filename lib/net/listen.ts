import { type Address, toAddress } from "./address.ts";
import { addressOf } from "./address_of.ts";
import { ConnectionError } from "./connection_error.ts";

/** A server's certificate. */
export interface ServerTls {
  /** The certificate chain in PEM. */
  readonly cert: string;
  /** Its private key in PEM. */
  readonly key: string;
}

/** How to listen. */
export interface ListenOptions {
  /** With it, connections are TLS. */
  readonly tls?: ServerTls | undefined;
  /**
   * Lets several listeners, in threads or processes, share the port; Linux only.
   *
   * @default {false}
   */
  readonly reusePort?: boolean | undefined;
}

/** Accepts connections on one address, of any transport. */
export interface Listener extends Disposable {
  /** Where it listens; the port is the real one where 0 was asked for. */
  readonly address: Address;
  /** Whether connections are TLS. */
  readonly secure: boolean;
  /** The next connection. Rejects when the listener is closed. */
  accept(): Promise<Deno.Conn>;
  /** Stops listening. Connections that were accepted live on. */
  close(): void;
}

/**
 * How many connections the kernel holds for a listener that is busy: a burst of some thousands
 * must not be dropped. The kernel lowers it to its own limit (`net.core.somaxconn`).
 */
const BACKLOG = 4_096;

/**
 * Listens on an address, or on what a text such as `127.0.0.1:0` says. A Unix socket's file that a dead server left behind is replaced, and the
 * file is removed on close.
 *
 * @example
 * ```ts
 * import { listen } from "@socktool/socktool";
 * import { assert } from "@std/assert";
 *
 * using listener = await listen("127.0.0.1:0");
 * assert(listener.address.transport === "tcp" && listener.address.port > 0);
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export async function listen(
  target: Address | string,
  options: ListenOptions = {},
): Promise<Listener> {
  const address = toAddress(target);
  try {
    if (address.transport === "unix") return await listenUnix(address.path, options);
    const { hostname, port } = address;
    const tcp = { hostname, port, reusePort: options.reusePort ?? false, tcpBacklog: BACKLOG };
    const inner = options.tls ? Deno.listenTls({ ...tcp, ...options.tls }) : Deno.listen(tcp);
    return wrap(inner, Boolean(options.tls), () => inner.close());
  } catch (cause) {
    throw cause instanceof ConnectionError ? cause : new ConnectionError("listen", address, cause);
  }
}

async function listenUnix(path: string, options: ListenOptions): Promise<Listener> {
  const address = { transport: "unix", path } as const;
  if (Deno.build.os === "windows") {
    const cause = new Error("Unix sockets do not exist on Windows");
    throw new ConnectionError("listen", address, cause, "not-supported");
  }
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
  return wrap(inner, false, () => {
    inner.close();
    try {
      Deno.removeSync(path);
    } catch {
      // Somebody removed it already.
    }
  });
}

/** Whether the file is a socket on which nobody listens. */
async function isStale(path: string): Promise<boolean> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return false;
    (await Deno.connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

function wrap(
  inner: Deno.Listener | Deno.TlsListener,
  secure: boolean,
  closeInner: () => void,
): Listener {
  let open = true;
  const close = () => {
    if (open) closeInner();
    open = false;
  };
  return {
    address: addressOf(inner.addr),
    secure,
    accept: () => inner.accept(),
    close,
    [Symbol.dispose]: close,
  };
}
