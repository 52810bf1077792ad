import { closeQuietly } from "../base/close_quietly.ts";
import { addressOf } from "../net/address_of.ts";
import type { Address, Handshakes, Listener } from "../net/mod.ts";
import { ConnSide, type SideConn } from "./conn_side.ts";
import { Entrance } from "./entrance.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import type { Shared } from "./shared.ts";

/** Makes sides of the connections of a listener: of those with TLS, and those over a Unix socket. */
export class ConnListener implements SocketListener {
  readonly address: Address;
  readonly secure: boolean;
  readonly handshakes: Handshakes | undefined;
  readonly #listener: Listener;
  #entrance: Entrance<Deno.Conn> | undefined;

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
    this.#entrance = new Entrance<Deno.Conn>(this.#listener, shared.turns, {
      remoteOf: ({ remoteAddr }) => addressOf(remoteAddr),
      admitted: (conn, number) =>
        events.accepted(new ConnSide(conn as SideConn, shared, place), number),
      letGo: closeQuietly,
      failed: (error) => events.failed(error),
    });
  }

  close(): void {
    if (this.#entrance) this.#entrance.close();
    else this.#listener.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
