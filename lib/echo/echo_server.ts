import type { Address, CloseReason, Connection, ConnectionError } from "../net/mod.ts";

/** A peer of an echo server, with what has passed so far. */
export type EchoPeer = Pick<
  Connection,
  "id" | "remote" | "readBytes" | "writtenBytes" | "openedAt"
>;

/** What happens at an echo server; every method is optional. They must not throw. */
export interface EchoObserver {
  /** A connection was accepted. */
  opened?: ((peer: EchoPeer) => void) | undefined;
  /** Bytes came and are about to be sent back: a view, good until this returns. */
  received?: ((peer: EchoPeer, bytes: Uint8Array) => void) | undefined;
  /** A connection ended. `error` is there where something failed. */
  closed?: ((peer: EchoPeer, reason: CloseReason, error?: unknown) => void) | undefined;
  /** A connection could not be accepted; the server tries again. */
  acceptFailed?: ((error: ConnectionError) => void) | undefined;
}

/** What an echo server has done since its start. */
export interface EchoFigures {
  /** Connections that are open. */
  readonly connections: number;
  /** Connections that were accepted. */
  readonly accepted: number;
  /** Connections that were refused, because there were too many. */
  readonly refused: number;
  /** Bytes that came. */
  readonly readBytes: number;
  /** Bytes that were sent back. */
  readonly writtenBytes: number;
}

/** An echo server at work, in one thread or in several. */
export interface EchoServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** Resolves when it has ended: nothing listens and all connections are closed. */
  readonly finished: Promise<void>;
  /** How many connections were closed by force because draining took too long. */
  readonly forced: number;
  /** What it has done so far; with several threads, up to a tenth of a second old. */
  figures(): EchoFigures;
  /** Accepts no more, ends every connection after the bytes that came, and resolves at the end. */
  drain(): Promise<void>;
}
