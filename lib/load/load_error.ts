/**
 * What can go wrong with a connection, or with a message:
 *
 * - `connect`: it could not be made; `reset`: it broke; `closed`: the server closed it early.
 * - `wrong`: other bytes came back than were sent, or more.
 * - `no-answer`: nothing came for too long.
 * - `unanswered`: a message of an open loop was not answered before the run or its connection ended.
 */
export type LoadErrorKind = "connect" | "reset" | "closed" | "wrong" | "no-answer" | "unanswered";

/** Errors by kind; kinds that did not occur are absent. */
export type LoadErrorCounts = { readonly [K in LoadErrorKind]?: number };

/** An error of one connection of a load; it ends that connection alone. */
export class LoadError extends Error {
  /** Always `LoadError`. */
  override readonly name = "LoadError";
  /** What went wrong. */
  readonly code: LoadErrorKind;

  /** A load makes these; you only catch them. */
  constructor(code: LoadErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
