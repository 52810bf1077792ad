import { type Address, type ListenOptions, toAddress } from "../net/mod.ts";
import { listenSockets } from "./listen_sockets.ts";
import type { ProxyListener } from "./proxy_listener.ts";

/**
 * Listens for a proxy, on an address or on what a text says. {@linkcode serveProxy} does the rest;
 * clients that come before it is called wait.
 *
 * @example
 * ```ts
 * import { listenForProxy, serveProxy } from "@socktool/socktool/proxy";
 *
 * const listener = await listenForProxy("127.0.0.1:0");
 * await using proxy = serveProxy(listener, "127.0.0.1:5634");
 * ```
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `listen`
 */
export async function listenForProxy(
  target: Address | string,
  options: Pick<ListenOptions, "tls"> = {},
): Promise<ProxyListener> {
  return await listenSockets(toAddress(target), options);
}
