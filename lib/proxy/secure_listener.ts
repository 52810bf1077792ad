import { resolveServerTls } from "../net/handshake_limits.ts";
import type { Address, ConnectionError, Listener, ServerTls } from "../net/mod.ts";
import { checkCertificate } from "../net/server_certificate.ts";
import { TlsListener } from "../net/tls_listener.ts";
import { ConnListener } from "./conn_listener.ts";
import { OwnReads } from "./own_reads.ts";
import type { PlainListener } from "./plain_listener.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
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

  override serve(events: AcceptEvents): void {
    super.serve(events);
    this.#conns.start((error) => events.failed(error));
  }
}

/** The sockets of a listener as connections. */
class SocketConns implements Listener {
  readonly address: Address;
  readonly secure = false;
  readonly #inner: PlainListener;
  readonly #ready: SocketConn[] = [];
  #waiting: PromiseWithResolvers<Deno.Conn> | undefined;
  #isClosed = false;

  constructor(inner: PlainListener) {
    this.address = inner.address;
    this.#inner = inner;
  }

  /** Takes the sockets. What fails to be accepted is told by itself: others go on. */
  start(failed: (error: ConnectionError) => void): void {
    this.#inner.takeSockets((socket) => {
      const conn = new SocketConn(OwnReads.adopt(socket));
      if (this.#waiting) this.#waiting.resolve(conn);
      else this.#ready.push(conn);
      this.#waiting = undefined;
    }, failed);
  }

  accept(): Promise<Deno.Conn> {
    const conn = this.#ready.shift();
    if (conn) return Promise.resolve(conn);
    if (this.#isClosed) return Promise.reject(closedError());
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#inner.close();
    for (const conn of this.#ready.splice(0)) conn.close();
    this.#waiting?.reject(closedError());
    this.#waiting = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function closedError(): Error {
  return new Deno.errors.BadResource("The listener is closed");
}
