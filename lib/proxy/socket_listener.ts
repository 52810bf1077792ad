import { createServer, type Server, type Socket } from "node:net";
import { asciiHost } from "../net/address.ts";
import { type Address, ConnectionError, listen } from "../net/mod.ts";
import type { Side } from "./side.ts";
import { SocketSide } from "./socket_side.ts";

/** How many connections the kernel queues until they are accepted. */
const BACKLOG = 4_096;

/** Who is told of what a {@linkcode SocketListener} accepts. */
export interface AcceptEvents {
  accepted(side: Side): void;
  failed(error: ConnectionError): void;
}

/** Listens for a proxy: its connections can be reset, which those of `listen` cannot. */
export interface ProxyListener extends Disposable {
  /** Where it listens, with the port that was chosen for port 0. */
  readonly address: Address;
  /** Whether its connections use TLS. */
  readonly secure: boolean;
  /** Stops listening. Connections that were accepted stay open. */
  close(): void;
}

/** A listener whose connections wait until somebody serves them. */
export interface SocketListener extends ProxyListener {
  /** Says who gets the connections, from the first one on. */
  serve(events: AcceptEvents): void;
}

/**
 * Listens on an address.
 *
 * @throws {ConnectionError} with operation `listen`
 */
export async function listenSockets(address: Address): Promise<SocketListener> {
  // It has the diagnoses of what goes wrong, and replaces the file of a Unix socket whose server died.
  (await listen(address)).close();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  const where = address.transport === "unix"
    ? { path: address.path }
    : { host: asciiHost(address.hostname), port: address.port };
  server.listen({ ...where, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new ConnectionError("listen", address, cause);
  }
  server.removeListener("error", reject);
  return new PlainListener(server, listeningOn(server, address));
}

/** Where a server listens: with the port, and the IP address, that were found for it. */
function listeningOn(server: Server, asked: Address): Address {
  const found = server.address();
  if (asked.transport === "unix" || found === null || typeof found === "string") return asked;
  return { transport: "tcp", hostname: found.address, port: found.port };
}

class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  #events: AcceptEvents | undefined;

  constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
    server.on("connection", (socket) => {
      if (this.#events) this.#accepted(socket, this.#events);
      else this.#waiting.push(socket);
    });
    server.on("error", (cause) => {
      this.#events?.failed(new ConnectionError("accept", address, cause));
    });
  }

  serve(events: AcceptEvents): void {
    this.#events = events;
    for (const socket of this.#waiting.splice(0)) this.#accepted(socket, events);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #accepted(socket: Socket, events: AcceptEvents): void {
    const { address } = this;
    events.accepted(
      new SocketSide(socket, address.transport === "unix" ? address.path : undefined),
    );
  }
}
