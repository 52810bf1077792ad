import { closeQuietly } from "../base/close_quietly.ts";
import { Acceptor } from "../net/acceptor.ts";
import { networkOf } from "../net/address.ts";
import { addressOf } from "../net/address_of.ts";
import { Admission } from "../net/admission.ts";
import type { Address, Handshakes, Listener } from "../net/mod.ts";
import { ConnSide, type SideConn } from "./conn_side.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import type { Shared } from "./shared.ts";

/** A connection, and which one it is. */
interface Arrival {
  readonly conn: Deno.Conn;
  readonly number: number;
}

/** Makes sides of the connections of a listener: of those with TLS, and those over a Unix socket. */
export class ConnListener implements SocketListener {
  readonly address: Address;
  readonly secure: boolean;
  readonly handshakes: Handshakes | undefined;
  readonly #listener: Listener;
  #acceptor: Acceptor | undefined;
  #admission: Admission<Arrival> | undefined;

  /** Takes over a listener. */
  constructor(listener: Listener) {
    this.#listener = listener;
    this.address = listener.address;
    this.secure = listener.secure;
    this.handshakes = listener.handshakes;
  }

  serve(events: AcceptEvents, shared: Shared): void {
    const { address } = this;
    // The ends of a Unix socket do not tell where it leads.
    const place = address.transport === "unix" ? address : undefined;
    this.#admission = new Admission<Arrival>(shared.turns, ({ conn, number }) => {
      events.accepted(new ConnSide(conn as SideConn, shared, place), number);
    });
    this.#acceptor = new Acceptor(this.#listener, shared.turns, (error) => events.failed(error));
    void this.#acceptAll(this.#acceptor, this.#admission);
  }

  close(): void {
    if (this.#acceptor) this.#acceptor.stop();
    else this.#listener.close();
    for (const { conn } of this.#admission?.clear() ?? []) closeQuietly(conn);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #acceptAll(acceptor: Acceptor, admission: Admission<Arrival>): Promise<void> {
    let number = 0;
    for (let conn = await acceptor.next(); conn; conn = await acceptor.next()) {
      admission.add(networkOf(addressOf(conn.remoteAddr)), { conn, number: ++number });
    }
  }
}
