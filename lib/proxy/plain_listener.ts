import type { Server, Socket } from "node:net";
import { setImmediate } from "node:timers";
import { PeriodicLook } from "../base/periodic_look.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { OwnReads } from "./own_reads.ts";
import { SocketSide } from "./socket_side.ts";

/** How many connections the kernel queues until they are accepted. */
export const BACKLOG = 4_096;

/** How often a listener is woken that may have failed to accept. */
const WAKE_MS = 250;

/** Accepts connections over TCP, as sides or as sockets. */
export class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #servers: readonly Server[];
  readonly #waiting: Socket[] = [];
  #take: ((socket: Socket) => void) | undefined;
  #failed: ((error: ConnectionError) => void) | undefined;
  readonly #look = new PeriodicLook(WAKE_MS, () => this.#wake());
  #isToWake = false;

  constructor(servers: readonly Server[], address: Address) {
    this.#servers = servers;
    this.address = address;
    for (const server of servers) {
      server.on("connection", (socket) => {
        if (!this.#take) this.#waiting.push(socket);
        else if (this.#isThere(socket)) this.#take(socket);
        this.#wakeSoon();
      });
      server.on("error", (cause) => {
        this.#failed?.(new ConnectionError("accept", address, cause));
      });
    }
  }

  serve(events: AcceptEvents): void {
    this.takeSockets(
      (socket) => events.accepted(new SocketSide(OwnReads.adopt(socket))),
      events.failed,
    );
  }

  /** Says who gets the sockets themselves. They are paused. */
  takeSockets(take: (socket: Socket) => void, failed: (error: ConnectionError) => void): void {
    this.#take = take;
    this.#failed = failed;
    for (const socket of this.#waiting.splice(0)) if (this.#isThere(socket)) take(socket);
    this.#look.start();
  }

  close(): void {
    this.#look.stop();
    for (const server of this.#servers) server.close();
    for (const socket of this.#waiting.splice(0)) socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Many connections may have been accepted in one go, and some of them closed since. */
  #wakeSoon(): void {
    if (this.#isToWake) return;
    this.#isToWake = true;
    setImmediate(() => {
      this.#isToWake = false;
      this.#wake();
    });
  }

  /**
   * Lets the listeners accept again. The runtime's stop for ever once the process had no descriptor
   * left for a client, and do not tell. To listen once more changes nothing but that.
   */
  #wake(): void {
    for (const server of this.#servers) {
      const { _handle } = server as unknown as {
        _handle: { listen(backlog: number): number } | null;
      };
      _handle?.listen(BACKLOG);
    }
  }

  /**
   * Whether a client has not reset its connection before it was accepted. Nothing is done for those
   * that have: thousands of them would hold up the next client, each with a connection to the upstream.
   */
  #isThere(socket: Socket): boolean {
    // A connection that was reset has no peer any more.
    if (socket.remoteAddress !== undefined) return true;
    socket.destroy();
    const cause = new Deno.errors.ConnectionReset("The client has reset its connection");
    this.#failed?.(new ConnectionError("accept", this.address, cause));
    return false;
  }
}
