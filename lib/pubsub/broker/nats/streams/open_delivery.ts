import type { Msg } from "@nats-io/transport-node";
import { NANOS } from "./stream_config.ts";

/** Who has a delivery. */
export interface DeliveryHolder {
  /** The connection. */
  readonly owner: number;
  /** How many are open. */
  open: number;
}

/** A delivery of JetStream's that a member of a consumer has. */
export interface OpenDelivery {
  /** Its number for the client. */
  readonly number: number;
  /** Its number in the stream. */
  readonly seq: number;
  /** When it was stored, in milliseconds since 1970. */
  readonly time: number;
  readonly attempt: number;
  /** Where JetStream is told what becomes of it. */
  readonly reply: string;
  /** Its number among the dead letters, if it is one that is delivered again. */
  readonly letter: number | undefined;
  readonly member: DeliveryHolder;
  readonly takenAt: number;
  /** Until when it may be acknowledged, in milliseconds of `performance.now()`. */
  dueAt: number;
}

const encoder = new TextEncoder();

/** What JetStream is told. */
export const ACK: Uint8Array = encoder.encode("+ACK");
export const WORKING: Uint8Array = encoder.encode("+WPI");

/** That a message is to be delivered again, at once or after a time. */
export function nak(delayMs: number): Uint8Array {
  return encoder.encode(delayMs > 0 ? `-NAK {"delay":${Math.ceil(delayMs * NANOS)}}` : "-NAK");
}

/** Names the message of a delivery: its number in the stream; that of a dead letter is negative. */
export function keyOf({ seq, letter }: Pick<OpenDelivery, "seq" | "letter">): number {
  return letter === undefined ? seq : -letter;
}

/** A message that waits for a member. */
export interface Arrived {
  readonly message: Msg;
  readonly letter: boolean;
  readonly at: number;
}
