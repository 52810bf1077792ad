import type { Address, ConnectionError, Handshakes } from "../net/mod.ts";
import type { Shared } from "./shared.ts";
import type { Side } from "./side.ts";

/** Who is told of what a {@linkcode SocketListener} accepts. */
export interface AcceptEvents {
  /**
   * A client was let in.
   *
   * @param number Which one it is, in the order in which they came: 1 is the first.
   * @returns What resolves when it takes no more descriptors. It must not reject.
   */
  accepted(side: Side, number: number): Promise<void> | undefined;
  failed(error: ConnectionError): void;
}

/** Listens for a proxy: its connections can be reset, which those of `listen` cannot. */
export interface ProxyListener extends Disposable {
  /** Where it listens, with the port that was chosen for port 0. */
  readonly address: Address;
  /** Whether its connections use TLS. */
  readonly secure: boolean;
  /** The handshakes, if its connections use TLS. */
  readonly handshakes?: Handshakes | undefined;
  /** Stops listening. Connections that were accepted stay open. */
  close(): void;
}

/** A listener whose connections wait until somebody serves them. */
export interface SocketListener extends ProxyListener {
  /** Says who gets the connections, from the first one on, and what they share. */
  serve(events: AcceptEvents, shared: Shared): void;
}
