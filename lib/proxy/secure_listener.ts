import { closedError } from "../net/accept_queue.ts";
import { resolveServerTls } from "../net/handshake_limits.ts";
import type { Address, ConnectionError, Listener, ServerTls } from "../net/mod.ts";
import { checkCertificate } from "../net/server_certificate.ts";
import { TlsListener } from "../net/tls_listener.ts";
import { ConnListener } from "./conn_listener.ts";
import type { PlainListener } from "./plain_listener.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import type { Shared } from "./shared.ts";
import { SocketConn } from "./socket_conn.ts";

/** Makes TLS of what a listener accepts. */
export function overTls(inner: PlainListener, tls: ServerTls): SocketListener {
  const certificate = checkCertificate(tls, resolveServerTls(tls));
  const conns = new SocketConns(inner);
  return new SecureListener(new TlsListener(conns, certificate), conns);
}

class SecureListener extends ConnListener {
  readonly #conns: SocketConns;

  constructor(listener: Listener, conns: SocketConns) {
    super(listener);
    this.#conns = conns;
  }

  override serve(events: AcceptEvents, shared: Shared): void {
    this.#conns.start((error) => events.failed(error), shared);
    super.serve(events, shared);
  }
}

/** The sockets of a listener as connections. */
class SocketConns implements Listener {
  readonly address: Address;
  readonly secure = false;
  readonly #inner: PlainListener;
  #shared: Shared | undefined;

  constructor(inner: PlainListener) {
    this.address = inner.address;
    this.#inner = inner;
  }

  /** Begins. What fails to be accepted is told by itself: others go on. */
  start(failed: (error: ConnectionError) => void, shared: Shared): void {
    this.#shared = shared;
    this.#inner.start(failed);
  }

  async accept(): Promise<Deno.Conn> {
    const reads = await this.#inner.next(this.#shared!);
    if (reads) return new SocketConn(reads);
    throw closedError();
  }

  close(): void {
    this.#inner.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
