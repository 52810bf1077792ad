/**
 * Why a connection ended:
 *
 * - `done`: both sides had sent everything.
 * - `reset`: the connection was lost.
 * - `idle`, `first-byte-timeout`, `frame-timeout`: a limit in time was exceeded.
 * - `refused`: the server had too many connections, or no file descriptor for one more. If it was open
 *   already, its peer had sent nothing yet.
 * - `over-budget`: the server had no memory left for what the peer sends, or does not read.
 * - `unauthorized`: the peer may not be served, or not any more.
 * - `protocol`: the peer broke the protocol.
 * - `drained`: the server ends, and the connection finished in time; `forced`: it did not.
 * - `failed`: the connection's service threw an error.
 */
export type CloseReason =
  | "done"
  | "reset"
  | "idle"
  | "first-byte-timeout"
  | "frame-timeout"
  | "refused"
  | "over-budget"
  | "unauthorized"
  | "protocol"
  | "drained"
  | "forced"
  | "failed";
