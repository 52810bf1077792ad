import { countOption, numericOption } from "../base/numeric_options.ts";
import { timerMs } from "../base/timer_ms.ts";
import type { ServerTls } from "./listener.ts";

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_HANDSHAKES = countOption(128, 1);

/** The limits of TLS handshakes, each with a value. */
export interface HandshakeLimits {
  /** The time for one handshake. */
  readonly handshakeTimeoutMs: number;
  /** How many may be under way. */
  readonly maxHandshakes: number;
}

/** @throws {TypeError | RangeError} if a limit is no number of milliseconds, or of handshakes. */
export function resolveHandshakeLimits(tls: ServerTls): HandshakeLimits {
  const { handshakeTimeoutMs, maxHandshakes } = tls;
  return {
    handshakeTimeoutMs: timerMs("handshakeTimeoutMs", handshakeTimeoutMs, DEFAULT_TIMEOUT_MS),
    maxHandshakes: numericOption("maxHandshakes", maxHandshakes, MAX_HANDSHAKES),
  };
}
