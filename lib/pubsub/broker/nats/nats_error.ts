/**
 * What a {@linkcode NatsError} is about:
 *
 * - `unreachable`: no server of the cluster could be connected to.
 * - `unauthorized`: the cluster does not accept the credentials, or wants some.
 * - `unusable`: a server answers, but cannot be used: it speaks no NATS, or TLS fails.
 */
export type NatsErrorCode = "unreachable" | "unauthorized" | "unusable";

/** Why a broker could not become a gateway of a NATS cluster. */
export class NatsError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "NatsError";
  /** The condition. */
  readonly code: NatsErrorCode;

  /** Makes an error; nothing is thrown. */
  constructor(code: NatsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
