import type { Address } from "../net/mod.ts";

/** What happens on a {@linkcode Side}. */
export interface SideEvents {
  /**
   * Bytes have arrived. They are lent until this returns. If it returns `false`, the side stops
   * reading, and they are lent until it is resumed.
   */
  received(bytes: Uint8Array): boolean;
  /** The peer sends no more. */
  ended(): void;
  /** All that was written has been taken by the system, after `write` had said that there is no room. */
  drained(): void;
  /** The connection broke: the peer reset it, or it failed. `closed` follows. */
  failed(cause: unknown): void;
  /** The socket is closed, whoever closed it. It is the last event. */
  closed(): void;
}

/** One of the two connections that a proxy joins. It reads nothing before it is resumed. */
export interface Side {
  /** The peer's address. */
  readonly remote: Address;
  /** This end's address. */
  readonly local: Address;
  /** Whether the peer has sent something. */
  readonly hasRead: boolean;
  /** Bytes that were written and not yet taken by the system. */
  readonly pendingBytes: number;
  /** Says who is told what happens. It is called once, before anything else. */
  listen(events: SideEvents): void;
  /** Reads on. What was lent is given back by that. */
  resume(): void;
  /** Reads on so that what comes is dropped. What was lent stays so: it may still have to be written. */
  discard(): void;
  /** Reads no more until `resume`. What was read before may still come: at most 64 KiB. */
  pause(): void;
  /**
   * Writes bytes. Returns whether they were taken and there is room for more; if not, `drained` will
   * say when that is so. Until then the bytes must not be changed.
   */
  write(bytes: Uint8Array): boolean;
  /** Like `write`, but room for more means only that the system has taken them: the next do not join them. */
  writeAlone(bytes: Uint8Array): boolean;
  /** Says that nothing more will be sent, behind all that was written. */
  end(): void;
  /** Closes at once so that the peer sees a reset, where the transport has such a thing. */
  reset(): void;
  /** Closes at once. */
  close(): void;
}
