import type { TcpAddress } from "../../lib/net/mod.ts";

/** Ports below those that systems give to whoever asks for any. */
const FIRST_PORT = 10_000;
const LAST_PORT = 19_999;

/** macOS has only the first of the loopback addresses. */
const hasMany = canListenOn("127.1.2.3");

/**
 * An address of this machine that nobody but the caller listens on: connections to it are refused
 * before that and afterwards, and it can be listened on again. A port that the system chose may be
 * another test's as soon as it is free.
 */
export function ownAddress(): TcpAddress {
  if (!hasMany) return freeAddress();
  const hostname = `127.${numberIn(1, 254)}.${numberIn(0, 255)}.${numberIn(1, 254)}`;
  return { transport: "tcp", hostname, port: numberIn(FIRST_PORT, LAST_PORT) };
}

function numberIn(min: number, max: number): number {
  return min + Math.floor(Math.random() * (max - min + 1));
}

function canListenOn(hostname: string): boolean {
  try {
    Deno.listen({ hostname, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

function freeAddress(): TcpAddress {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { transport: "tcp", hostname: "127.0.0.1", port: listener.addr.port };
}
