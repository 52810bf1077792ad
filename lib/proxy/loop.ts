import { type Address, formatAddress, isLoopback } from "../net/mod.ts";
import { ProxyError } from "./proxy_error.ts";

/**
 * Refuses an upstream that is the proxy itself, as far as the addresses tell.
 *
 * @throws {ProxyError} with code `loop`
 */
export function refuseLoop(listening: Address, upstream: Address): void {
  if (!meets(listening, upstream)) return;
  const where = formatAddress(upstream);
  throw new ProxyError("loop", `Cannot use ${where} as the upstream: the proxy listens there`);
}

/** Whether who dials the one comes to who listens on the other. */
function meets(listening: Address, dialled: Address): boolean {
  if (listening.transport === "unix" || dialled.transport === "unix") {
    return listening.transport === "unix" && dialled.transport === "unix" &&
      listening.path === dialled.path;
  }
  if (listening.port !== dialled.port) return false;
  return listening.hostname === dialled.hostname ||
    (isAny(dialled.hostname) || isLoopback(dialled)) &&
      (isAny(listening.hostname) || isLoopback(listening) && dialled.hostname === "localhost");
}

/** An address of all interfaces; who dials it comes to this machine. */
function isAny(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
