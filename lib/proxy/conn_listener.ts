import { Acceptor } from "../net/acceptor.ts";
import type { Address, Handshakes, Listener } from "../net/mod.ts";
import { ConnSide, type SideConn } from "./conn_side.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import type { Shared } from "./shared.ts";

/** Makes sides of the connections of a listener: of those with TLS, and those over a Unix socket. */
export class ConnListener implements SocketListener {
  readonly address: Address;
  readonly secure: boolean;
  readonly handshakes: Handshakes | undefined;
  readonly #listener: Listener;
  #acceptor: Acceptor | undefined;

  /** Takes over a listener. */
  constructor(listener: Listener) {
    this.#listener = listener;
    this.address = listener.address;
    this.secure = listener.secure;
    this.handshakes = listener.handshakes;
  }

  serve(events: AcceptEvents, shared: Shared): void {
    this.#acceptor = new Acceptor(this.#listener, shared.turns, (error) => events.failed(error));
    void this.#acceptAll(this.#acceptor, events, shared);
  }

  close(): void {
    if (this.#acceptor) this.#acceptor.stop();
    else this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #acceptAll(
    acceptor: Acceptor,
    events: AcceptEvents,
    shared: Shared,
  ): Promise<void> {
    const { address } = this;
    // The ends of a Unix socket do not tell where it leads.
    const place = address.transport === "unix" ? address : undefined;
    for (let conn = await acceptor.next(); conn; conn = await acceptor.next()) {
      events.accepted(new ConnSide(conn as SideConn, shared, place));
    }
  }
}
