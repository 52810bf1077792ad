import type { Address } from "./address.ts";

/** The address of one end of a socket, from what Deno reports. */
export function addressOf(addr: Deno.Addr): Address {
  // Connections of `Deno.startTls` have no transport.
  const { transport = "tcp" } = addr as { readonly transport?: string };
  if ("hostname" in addr && transport === "tcp") {
    return { transport, hostname: addr.hostname, port: addr.port };
  }
  if ("path" in addr && transport === "unix") return { transport, path: addr.path ?? "" };
  throw new TypeError(`Cannot use an address of transport ${transport}`);
}
