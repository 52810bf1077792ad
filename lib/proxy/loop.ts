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
  const [heard, reached] = [hostsOf(listening.hostname), hostsOf(dialled.hostname)];
  return heard.some((host) => reached.includes(host)) ||
    isAny(listening.hostname) && (isAny(dialled.hostname) || isLoopback(dialled));
}

/** An address of all interfaces. */
function isAny(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

/** The IP addresses that a name, or an address of all interfaces that is dialled, surely stands for. */
function hostsOf(hostname: string): readonly string[] {
  switch (hostname) {
    case "localhost":
      return ["127.0.0.1", "::1"];
    case "0.0.0.0":
      return [hostname, "127.0.0.1"];
    case "::":
      return [hostname, "::1"];
    default:
      return [hostname];
  }
}
