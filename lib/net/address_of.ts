import type { Address } from "./address.ts";

/** The address of one end of a socket as the runtime reports it. */
export function addressOf(addr: Deno.Addr): Address {
  // A connection of `Deno.startTls` leaves the transport out.
  const { transport = "tcp" } = addr as { readonly transport?: string };
  if ("hostname" in addr && transport === "tcp") {
    return { transport, hostname: addr.hostname, port: addr.port };
  }
  if ("path" in addr && transport === "unix") return { transport, path: addr.path ?? "" };
  throw new TypeError(`Cannot use an address of transport ${transport}`);
}
