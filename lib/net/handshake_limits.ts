import { countOption, numericOption } from "../base/numeric_options.ts";
import { checkGiven } from "../base/option_kinds.ts";
import { timerMs } from "../base/timer_ms.ts";
import type { ServerTls } from "./listener.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_HANDSHAKES = countOption(1_024, 1);

/** The limits of TLS handshakes, each with a value. */
export interface HandshakeLimits {
  /** The time for one handshake. */
  readonly handshakeTimeoutMs: number;
  /** How many may be under way. */
  readonly maxHandshakes: number;
}

/**
 * Checks the settings of a server's TLS, and gives the limits of its handshakes. What the certificate
 * is, is not looked at.
 *
 * @throws {TypeError | RangeError} if a limit is no number of milliseconds, or of handshakes, or the
 * certificate or its key is no text.
 */
export function resolveServerTls(tls: ServerTls): HandshakeLimits {
  checkGiven("tls", tls, "object");
  checkGiven("tls.cert", tls.cert, "text");
  checkGiven("tls.key", tls.key, "text");
  const { handshakeTimeoutMs, maxHandshakes } = tls;
  return {
    handshakeTimeoutMs: timerMs("handshakeTimeoutMs", handshakeTimeoutMs, DEFAULT_TIMEOUT_MS),
    maxHandshakes: numericOption("maxHandshakes", maxHandshakes, MAX_HANDSHAKES),
  };
}
