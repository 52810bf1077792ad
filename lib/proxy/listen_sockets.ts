import { createServer, type Server } from "node:net";
import { asciiHost } from "../net/address.ts";
import { type Address, ConnectionError, listen, type ListenOptions } from "../net/mod.ts";
import { PlainListener } from "./plain_listener.ts";
import type { SocketListener } from "./proxy_listener.ts";

/** How many connections the kernel queues until they are accepted. */
const BACKLOG = 4_096;

/**
 * Listens on an address.
 *
 * @throws {ConnectionError} with operation `listen`
 */
export async function listenSockets(
  address: Address,
  { tls }: Pick<ListenOptions, "tls"> = {},
): Promise<SocketListener> {
  // It has the diagnoses of what goes wrong, and replaces the file of a Unix socket whose server died.
  (await listen(address, { tls })).close();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  const where = !("port" in address)
    ? { path: address.path }
    : { host: asciiHost(address.hostname), port: address.port };
  server.listen({ ...where, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new ConnectionError("listen", address, cause);
  }
  server.removeListener("error", reject);
  const listener = new PlainListener(server, listeningOn(server, address));
  if (!tls) return listener;
  // Its modules are loaded only where they are used.
  const { overTls } = await import("./secure_listener.ts");
  return overTls(listener, tls);
}

/** Where a server listens: with the port, and the IP address, that were found for it. */
function listeningOn(server: Server, asked: Address): Address {
  const found = server.address();
  if (asked.transport === "unix" || found === null || typeof found === "string") return asked;
  return { transport: "tcp", hostname: found.address, port: found.port };
}
