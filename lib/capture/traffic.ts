import type { Direction } from "../net/direction.ts";

/** A connection whose traffic is looked at. */
export interface SeenConnection {
  /** Its number, from 1. */
  readonly id: number;
  /** Who opened it: `127.0.0.1:50412`, `[::1]:50412` or `unix:PATH`. */
  readonly client: string;
  /** To whom. */
  readonly server: string;
  /** Whether its first bytes were seen; if not, a stream may begin in the middle of a frame. */
  readonly fromStart: boolean;
  /** When it was opened, or first seen, in microseconds since 1970. */
  readonly openedUs: number;
}

/**
 * Is told what happens on connections: by a capture that is read, and by a server or a relay whose
 * traffic is recorded or shown. Times are in microseconds since 1970. It must not throw.
 */
export interface TrafficObserver {
  /** A connection was opened, or is seen for the first time. */
  opened(connection: SeenConnection, timeUs: number): void;
  /** Bytes went one way: a view, valid until this returns. */
  bytes(connection: SeenConnection, direction: Direction, bytes: Uint8Array, timeUs: number): void;
  /** Bytes went one way that the capture does not have. @param count How many. */
  gap(connection: SeenConnection, direction: Direction, count: number, timeUs: number): void;
  /** One side sends no more. */
  ended(connection: SeenConnection, direction: Direction, timeUs: number): void;
  /** The connection is over. */
  closed(connection: SeenConnection, how: Ending, timeUs: number): void;
}

/**
 * How a connection ended: `closed` by both sides, `reset` by one, `replaced` by another one between
 * the same ports; `open` if it had not ended when the capture did.
 */
export type Ending = "closed" | "reset" | "replaced" | "open";
