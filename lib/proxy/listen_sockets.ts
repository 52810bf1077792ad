import { createServer, type Server } from "node:net";
import {
  type Address,
  ConnectionError,
  listen,
  type ListenOptions,
  type TcpAddress,
} from "../net/mod.ts";
import { ConnListener } from "./conn_listener.ts";
import { BACKLOG, PlainListener } from "./plain_listener.ts";
import type { SocketListener } from "./proxy_listener.ts";

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Another program may take a port that was found to be free. */
const MAX_ATTEMPTS = 5;

/**
 * Listens on an address; on `localhost` as `listen` does, which is both 127.0.0.1 and ::1.
 *
 * @throws {ConnectionError} with operation `listen`
 */
export async function listenSockets(
  address: Address,
  { tls }: Pick<ListenOptions, "tls"> = {},
): Promise<SocketListener> {
  const plain = address.transport === "unix" ? undefined : await listenPlain(address, tls);
  if (plain === undefined) return new ConnListener(await listen(address, { tls }));
  if (!tls) return plain;
  // Its modules are loaded only where they are used.
  const { overTls } = await import("./secure_listener.ts");
  return overTls(plain, tls);
}

/** @returns `undefined` where the runtime is another one, whose handles are not known. */
async function listenPlain(
  address: Address,
  tls: ListenOptions["tls"],
): Promise<PlainListener | undefined> {
  for (let attempt = 1;; attempt++) {
    // It has the diagnoses of what goes wrong, and finds the port and the IP address.
    const probe = await listen(address, { tls });
    const found = probe.address as TcpAddress;
    probe.close();
    const servers: Server[] = [];
    try {
      for (const each of placesOf(found)) servers.push(await openServer(each));
      if (servers.every(PlainListener.canServe)) return new PlainListener(servers, found);
      await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
      return undefined;
    } catch (cause) {
      for (const server of servers) server.close();
      const isAnyPort = "port" in address && address.port === 0;
      if (!isAnyPort || attempt === MAX_ATTEMPTS) {
        throw new ConnectionError("listen", address, cause);
      }
    }
  }
}

function placesOf({ hostname, port }: TcpAddress): Place[] {
  // It is told where the system has both.
  const hosts = hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname];
  return hosts.map((host) => ({ host, port }));
}

async function openServer(place: Place): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ ...place, backlog: BACKLOG }, resolve);
  await promise;
  server.removeListener("error", reject);
  return server;
}
