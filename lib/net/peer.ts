import type { Address } from "./address.ts";
import type { CloseReason } from "./close_reason.ts";

/**
 * The peer of a connection, as handlers and observers see it: who it is, what has passed so far, and
 * how it ended. Its bytes are read and written by the connection's service alone.
 */
export interface Peer {
  /** The connection's number among all connections of the process, from 1. */
  readonly id: number;
  /** Its address. */
  readonly remote: Address;
  /** When the connection was opened, in milliseconds of `performance.now()`. */
  readonly openedAt: number;
  /** How many bytes were received so far. */
  readonly readBytes: number;
  /** How many messages were received so far, if the service counts them. */
  readonly readFrames: number;
  /** Whether a message has begun that is not complete, if the service tells. */
  readonly midFrame: boolean;
  /** How many bytes the socket took so far. */
  readonly writtenBytes: number;
  /** How many bytes wait to be sent. */
  readonly pendingBytes: number;
  /** Why the connection was closed; `undefined` if it is open. */
  readonly closeReason: CloseReason | undefined;
  /** Is aborted when the connection closes; for work that only this peer needs. */
  readonly signal: AbortSignal;

  /**
   * Ends the connection of a peer that may not be served any more: the service answers what it has
   * begun, and finishes.
   *
   * @param error What the peer is told, if no answer tells it already.
   */
  revoke(error?: Error): void;

  /**
   * Counts memory that is kept for this peer as if it were unread output, if the server has room for
   * it; else nothing is counted. Give it back by {@linkcode Peer.countHeld} with a negative number.
   *
   * @returns Whether there is room.
   */
  tryHold(bytes: number): boolean;

  /**
   * Counts memory that is kept for this peer, such as answers that wait for their turn, as if it were
   * unread output. Where there is no room for it, connections end that read nothing.
   *
   * @param bytes How many bytes more; negative for fewer.
   */
  countHeld(bytes: number): void;

  /** Closes the connection at once; bytes that wait to be sent are lost. Only the first call counts. */
  close(reason: CloseReason): void;
}
