import { createServer, type Server, type Socket } from "node:net";
import { asciiHost } from "../net/address.ts";
import {
  type Address,
  ConnectionError,
  type Handshakes,
  listen,
  type ListenOptions,
} from "../net/mod.ts";
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
  /** The handshakes, if its connections use TLS. */
  readonly handshakes?: Handshakes | undefined;
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

/** Accepts plain connections, as sides or as sockets. */
export class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  #take: ((socket: Socket) => void) | undefined;
  #failed: ((error: ConnectionError) => void) | undefined;

  constructor(server: Server, address: Address) {
    this.#server = server;
    this.address = address;
    server.on("connection", (socket) => {
      if (this.#take) this.#take(socket);
      else this.#waiting.push(socket);
    });
    server.on("error", (cause) => {
      this.#failed?.(new ConnectionError("accept", address, cause));
    });
  }

  serve(events: AcceptEvents): void {
    const { address } = this;
    const path = address.transport === "unix" ? address.path : undefined;
    this.takeSockets((socket) => events.accepted(new SocketSide(socket, path)), events.failed);
  }

  /** Says who gets the sockets themselves. They are paused. */
  takeSockets(take: (socket: Socket) => void, failed: (error: ConnectionError) => void): void {
    this.#take = take;
    this.#failed = failed;
    for (const socket of this.#waiting.splice(0)) take(socket);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
