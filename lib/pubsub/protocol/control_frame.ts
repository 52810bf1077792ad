import { type ByteBuffer, type HeaderInit, writeFrame } from "../../frame/mod.ts";

/** The version of the protocol, as `hello` names it. */
export const PROTOCOL_VERSION = 1;

/** Why a broker closes a connection. */
export type ByeReason =
  | "shutdown"
  | "slow-consumer"
  | "idle"
  | "unauthorized"
  | "broken-frame"
  | "too-many-connections"
  | "bye";

/** What is wrong with a request, as the `code` of an `error` says it. */
export type PubSubErrorCode =
  | "unauthorized"
  | "forbidden"
  | "bad-topic"
  | "bad-filter"
  | "bad-group"
  | "bad-op"
  | "bad-id"
  | "bad-field"
  | "not-subscribed"
  | "too-many-filters"
  | "retained-full"
  | "frame-too-large"
  | "header-field"
  | "truncated"
  | "header-syntax";

/** A request that cannot be done. The connection goes on. */
export interface Refusal {
  /** Which fault it is. */
  readonly code: PubSubErrorCode;
  /** A sentence for people. */
  readonly message: string;
}

/** Publications left out for one subscription. */
export interface Missed {
  count: number;
  bytes: number;
}

/** Fields that every frame without content has. */
const NO_CONTENT = { "content-type": "text/json", "content-encoding": "utf-8" } as const;

/** Writes a frame that has an `op` and no content. Fields that are `undefined` are left out. */
export function writeControl(buffer: ByteBuffer, op: string, fields: HeaderInit = {}): void {
  writeFrame(buffer, { header: { ...NO_CONTENT, op, ...fields } });
}
