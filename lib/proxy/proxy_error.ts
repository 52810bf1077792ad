/**
 * Why a proxy cannot be made:
 *
 * - `loop`: its upstream is where it listens itself.
 */
export type ProxyErrorCode = "loop";

/** A proxy that cannot be made as it is asked for. */
export class ProxyError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "ProxyError";
  /** Why. */
  readonly code: ProxyErrorCode;

  /** Made by this library. */
  constructor(code: ProxyErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
