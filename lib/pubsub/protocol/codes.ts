/** Why a broker closes a connection: the `reason` of its `bye`. */
export type ByeReason =
  | "shutdown"
  | "slow-consumer"
  | "idle"
  | "unauthorized"
  | "broken-frame"
  | "too-many-connections"
  | "over-budget"
  | "bye";

/** What is wrong with a request: the `code` of an `error`. */
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
  | "too-many-groups"
  | "over-budget"
  | "retained-full"
  | "header-field"
  | "truncated"
  | "header-syntax"
  | StreamErrorCode;

/** What is wrong with a request that concerns streams. */
export type StreamErrorCode =
  | "no-stream"
  | "bad-stream"
  | "stream-exists"
  | "stream-overlap"
  | "too-many-streams"
  | "too-many-consumers"
  | "stream-full"
  | "frame-too-large"
  | "wrong-seq"
  | "stale-ack"
  | "no-consumer"
  | "consumer-exists"
  | "storage-full"
  | "storage-failed"
  | "unavailable";

/** A request that the broker does not carry out. The connection goes on. */
export interface Refusal {
  /** Which fault it is, for programs. */
  readonly code: PubSubErrorCode;
  /** A sentence for people. */
  readonly message: string;
}

/** After how many milliseconds a client may try again; `undefined` where waiting is no help. */
export function retryAfterMs(code: PubSubErrorCode): number | undefined {
  return code === "unavailable" ? 1_000 : undefined;
}
