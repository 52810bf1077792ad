import type { Address, CloseReason, ConnectionError, Peer, ServerTls } from "../net/mod.ts";

/** A client of an echo server, with the bytes that have passed so far. */
export type EchoPeer = Pick<Peer, "id" | "remote" | "readBytes" | "writtenBytes" | "openedAt">;

/**
 * What happens at an echo server. Every method is optional. What one throws is reported, and changes
 * nothing for the server.
 */
export interface EchoObserver {
  /** A connection was accepted. */
  opened?: ((peer: EchoPeer) => void) | undefined;
  /** Bytes came; they are sent back afterwards. They are a view, valid until this returns. */
  received?: ((peer: EchoPeer, bytes: Uint8Array) => void) | undefined;
  /** A connection ended; with `error`, because something failed. */
  closed?: ((peer: EchoPeer, reason: CloseReason, error?: unknown) => void) | undefined;
  /** A connection could not be accepted. The server goes on accepting. */
  acceptFailed?: ((error: ConnectionError) => void) | undefined;
}

/** The figures of an echo server since its start. */
export interface EchoFigures {
  /** Connections that are open at the moment. */
  readonly connections: number;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Connections that were refused, because there were too many. */
  readonly refused: number;
  /** Bytes read from clients. */
  readonly readBytes: number;
  /** Bytes sent back to them. */
  readonly writtenBytes: number;
}

/** A running echo server, in one thread or in several. */
export interface EchoServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** Resolves when the server has ended: the listener and all connections are closed. */
  readonly finished: Promise<void>;
  /** How many connections were closed by force, because draining took too long. */
  readonly forced: number;
  /**
   * Uses another certificate for all clients from now on; connections that are open go on with theirs.
   *
   * @throws {ConnectionError} with operation `listen` if it cannot be used, or the server does not
   * serve TLS. The certificate stays what it was.
   */
  renewTls(tls: ServerTls): Promise<void>;
  /** The figures so far. With several threads they are up to 100 ms old. */
  figures(): EchoFigures;
  /**
   * Stops accepting, sends back what has come, closes every connection. Resolves when the server has
   * ended.
   */
  drain(): Promise<void>;
}
