import { Acceptor } from "../net/acceptor.ts";
import { resolveHandshakeLimits } from "../net/handshake_limits.ts";
import type { Address, ConnectionError, Handshakes, Listener, ServerTls } from "../net/mod.ts";
import type { NodeConn } from "../net/node_conn.ts";
import { checkCertificate } from "../net/server_certificate.ts";
import { TlsListener } from "../net/tls_listener.ts";
import { Turns } from "../net/turns.ts";
import { socketConn } from "./socket_conn.ts";
import type { PlainListener } from "./plain_listener.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { TlsSide } from "./tls_side.ts";

/** Makes TLS of what a listener accepts. */
export function overTls(inner: PlainListener, tls: ServerTls): SocketListener {
  return new SecureListener(inner, tls);
}

class SecureListener implements SocketListener {
  readonly address: Address;
  readonly secure = true;
  readonly #conns: ConnListener;
  readonly #listener: TlsListener;
  readonly #turns = new Turns();
  #acceptor: Acceptor | undefined;

  constructor(inner: PlainListener, tls: ServerTls) {
    this.address = inner.address;
    const certificate = checkCertificate(tls, resolveHandshakeLimits(tls));
    this.#conns = new ConnListener(inner);
    this.#listener = new TlsListener(this.#conns, certificate);
  }

  get handshakes(): Handshakes {
    return this.#listener;
  }

  serve(events: AcceptEvents): void {
    this.#acceptor = new Acceptor(this.#listener, this.#turns, (error) => events.failed(error));
    void this.#acceptAll(this.#acceptor, events);
    this.#conns.start((error) => events.failed(error));
  }

  close(): void {
    this.#acceptor?.stop();
    this.#listener.close();
    void this.#turns.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #acceptAll(acceptor: Acceptor, events: AcceptEvents): Promise<void> {
    for (let conn = await acceptor.next(); conn; conn = await acceptor.next()) {
      events.accepted(new TlsSide(conn as NodeConn));
    }
  }
}

/** The sockets of a listener as connections. */
class ConnListener implements Listener {
  readonly address: Address;
  readonly secure = false;
  readonly #inner: PlainListener;
  readonly #ready: NodeConn[] = [];
  #waiting: PromiseWithResolvers<Deno.Conn> | undefined;
  #isClosed = false;

  constructor(inner: PlainListener) {
    this.address = inner.address;
    this.#inner = inner;
  }

  /** Takes the sockets. What fails to be accepted is told by itself: others go on. */
  start(failed: (error: ConnectionError) => void): void {
    this.#inner.takeSockets((socket) => {
      const conn = socketConn(socket.setNoDelay(true));
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
