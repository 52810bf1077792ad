import type { TcpAddress } from "./address.ts";
import { joinListeners } from "./join_listeners.ts";
import type { Listener } from "./listener.ts";

/** Another program may have taken the port that was chosen for one family in the other. */
const MAX_ATTEMPTS = 5;

/**
 * Listens on `localhost`, which clients take for `127.0.0.1` or `::1`, on both, with one port. Where
 * the system has only one of them, on that.
 *
 * @param wrap Makes our listener of the runtime's.
 * @throws what `Deno.listen` throws, also where only one of the two ports is free.
 */
export function listenLocalhost(
  options: Deno.TcpListenOptions,
  wrap: (inner: Deno.Listener) => Listener,
): Listener {
  const [first, second] = listenOnBoth(options).map((inner) => wrap(inner)) as [
    Listener,
    Listener?,
  ];
  if (second === undefined) return first;
  const { port } = first.address as TcpAddress;
  return joinListeners(first, second, { transport: "tcp", hostname: "localhost", port });
}

function listenOnBoth(options: Deno.TcpListenOptions): Deno.Listener[] {
  for (let attempt = 1;; attempt++) {
    const first = Deno.listen(options);
    const { hostname, port } = first.addr as Deno.NetAddr;
    const other = hostname.includes(":") ? "127.0.0.1" : "::1";
    try {
      return [first, Deno.listen({ ...options, hostname: other, port })];
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) return [first];
      first.close();
      if (options.port !== 0 || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
