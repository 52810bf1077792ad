import type { Server, Socket } from "node:net";
import { type Address, ConnectionError } from "../net/mod.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { OwnReads } from "./own_reads.ts";
import { SocketSide } from "./socket_side.ts";

/** Accepts plain connections, as sides or as sockets. */
export class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #servers: readonly Server[];
  readonly #waiting: Socket[] = [];
  #take: ((socket: Socket) => void) | undefined;
  #failed: ((error: ConnectionError) => void) | undefined;

  constructor(servers: readonly Server[], address: Address) {
    this.#servers = servers;
    this.address = address;
    for (const server of servers) {
      server.on("connection", (socket) => {
        if (this.#take) this.#take(socket);
        else this.#waiting.push(socket);
      });
      server.on("error", (cause) => {
        this.#failed?.(new ConnectionError("accept", address, cause));
      });
    }
  }

  serve(events: AcceptEvents): void {
    const { address } = this;
    const path = address.transport === "unix" ? address.path : undefined;
    this.takeSockets(
      (socket) => events.accepted(new SocketSide(OwnReads.adopt(socket), path)),
      events.failed,
    );
  }

  /** Says who gets the sockets themselves. They are paused. */
  takeSockets(take: (socket: Socket) => void, failed: (error: ConnectionError) => void): void {
    this.#take = take;
    this.#failed = failed;
    for (const socket of this.#waiting.splice(0)) take(socket);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
