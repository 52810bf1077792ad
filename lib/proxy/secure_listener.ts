import { resolveServerTls } from "../net/handshake_limits.ts";
import type { Address, Listener, ServerTls } from "../net/mod.ts";
import { checkCertificate } from "../net/server_certificate.ts";
import { TlsListener } from "../net/tls_listener.ts";
import { ConnListener } from "./conn_listener.ts";
import type { PlainListener } from "./plain_listener.ts";
import { OwnReads } from "./own_reads.ts";
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
    this.#conns.shared = shared;
    super.serve(events, shared);
  }
}

/** The sockets of a listener as connections. */
class SocketConns implements Listener {
  readonly address: Address;
  readonly secure = false;
  /** What their reads share. It is set before the first one is accepted. */
  shared: Shared | undefined;
  readonly #inner: PlainListener;

  constructor(inner: PlainListener) {
    this.address = inner.address;
    this.#inner = inner;
  }

  async accept(): Promise<Deno.Conn> {
    const handle = await this.#inner.accept();
    await this.shared!.turns.takeIfBusy();
    return new SocketConn(OwnReads.accepted(handle, this.shared!));
  }

  close(): void {
    this.#inner.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
