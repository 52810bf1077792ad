import type { Address, ConnectionError } from "../net/mod.ts";
import type { Direction } from "../net/direction.ts";
import type { FiredFault } from "./faults/fault_set.ts";

/**
 * Why a connection through a proxy ended:
 *
 * - `done`: both sides had sent everything.
 * - `reset`: one side broke off, and so the other was broken off too.
 * - `fault`: a fault of the proxy closed it, broke it off, or refused it.
 * - `unreachable`: there was no connection to the upstream.
 * - `refused`: the proxy had too many connections, or no file descriptor for one more. If it was open
 *   already, its client had sent nothing yet, or the upstream was not reached.
 * - `loop`: it came from this proxy itself.
 * - `drained`: the proxy ends, and the connection finished in time; `forced`: it did not.
 */
export type ProxyCloseReason =
  | "done"
  | "reset"
  | "fault"
  | "unreachable"
  | "refused"
  | "loop"
  | "drained"
  | "forced";

/**
 * What a proxy has to say of faults that cannot do what they should:
 *
 * - `no-frames`: a fault is about frames, and the bytes are none. They are passed as they are.
 * - `full`: what waits for its time has reached its bound, 16 MiB or what is left of the memory for all.
 *   Nothing more is read until there is room.
 */
export type ProxyNotice = "no-frames" | "full";

/** A client's connection and the one to the upstream that belongs to it. */
export interface ProxiedConnection {
  /** Its number: 1 for the first one that was accepted. */
  readonly id: number;
  /** The client's end. */
  readonly client: Address;
  /** Where the client arrived. */
  readonly accepted: Address;
  /** The proxy's end of the connection to the upstream; `undefined` until that is made. */
  readonly dialled: Address | undefined;
  /** The upstream's end; until the connection to it is made, the address that is dialled. */
  readonly upstream: Address;
  /** When it was accepted, in milliseconds on the clock of `performance.now()`. */
  readonly openedAt: number;
  /** Bytes that were passed to the upstream. */
  readonly upBytes: number;
  /** Bytes that were passed to the client. */
  readonly downBytes: number;
}

/** Callbacks of a proxy; all are optional. An error that one throws is reported to the console. */
export interface ProxyObserver {
  /** A client was accepted and the upstream was reached: bytes can pass. */
  opened?: ((connection: ProxiedConnection) => void) | undefined;
  /**
   * Bytes are being passed on. They are lent: they must not be changed, and are to be copied if they
   * are kept.
   *
   * @param offset How many bytes of this direction were passed before these.
   */
  passed?:
    | ((
      connection: ProxiedConnection,
      direction: Direction,
      bytes: Uint8Array,
      offset: number,
    ) => void)
    | undefined;
  /** The end of one direction was passed on; the other one may go on. */
  halfClosed?: ((connection: ProxiedConnection, direction: Direction) => void) | undefined;
  /** One side broke off the connection, or the proxy did. The reset is passed on to the other. */
  reset?:
    | ((connection: ProxiedConnection, by: "client" | "upstream" | "proxy") => void)
    | undefined;
  /** A fault did something; of those that last only the first time in a direction is told. */
  fired?: ((fired: FiredFault) => void) | undefined;
  /** A fault cannot do what it should; told once for a direction of a connection. */
  noticed?:
    | ((connection: ProxiedConnection, direction: Direction, notice: ProxyNotice) => void)
    | undefined;
  /**
   * A connection ended, also one that was never opened. `error` is set if something failed: for
   * `unreachable` it is a {@linkcode ConnectionError}.
   */
  closed?:
    | ((connection: ProxiedConnection, reason: ProxyCloseReason, error?: unknown) => void)
    | undefined;
  /**
   * A client could not be accepted: it reset its connection before, its TLS handshake failed, or
   * the process has no descriptor left.
   */
  acceptFailed?: ((error: ConnectionError) => void) | undefined;
}
