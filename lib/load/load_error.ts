/**
 * What can go wrong with a connection:
 *
 * - `connect`: it could not be made; `reset`: it broke; `closed`: the server closed it early.
 * - `wrong`: other bytes came back than were sent, or more than were due.
 * - `no-answer`: nothing came for too long.
 *
 * Or with a message:
 *
 * - `unanswered`: it was sent, and not answered before the run or its connection ended.
 * - `not-sent`: it was due, and could not be sent before the run or its connection ended.
 * - `unexpected`: its answer is not what was expected; `refused`: its answer tells of an error.
 * - `failed`: an exchange of the user's own failed.
 */
export type LoadErrorKind =
  | "connect"
  | "reset"
  | "closed"
  | "wrong"
  | "no-answer"
  | "unanswered"
  | "not-sent"
  | "unexpected"
  | "refused"
  | "failed";

/** All kinds, in the order in which they are told. */
export const ERROR_KINDS: readonly LoadErrorKind[] = [
  "connect",
  "reset",
  "closed",
  "wrong",
  "no-answer",
  "unanswered",
  "not-sent",
  "unexpected",
  "refused",
  "failed",
];

/** Errors by kind; kinds that did not occur are absent. */
export type LoadErrorCounts = { readonly [K in LoadErrorKind]?: number };

/** An error of one connection of a load, or of one message. */
export class LoadError extends Error {
  /** Always `LoadError`. */
  override readonly name = "LoadError";
  /** What went wrong. */
  readonly code: LoadErrorKind;

  /** A load makes these; an exchange of your own may throw one, which ends its connection. */
  constructor(code: LoadErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
