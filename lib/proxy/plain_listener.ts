import type { Server } from "node:net";
import { Condition } from "../base/condition.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { networkOf } from "../net/address.ts";
import { Admission } from "../net/admission.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { OwnReads } from "./own_reads.ts";
import type { Shared } from "./shared.ts";
import { plainHost, SocketSide } from "./socket_side.ts";

/** How many connections the kernel queues until they are accepted. */
export const BACKLOG = 4_096;

/** How often a listener is woken that may have failed to accept. */
const WAKE_MS = 250;

/** So many connections are taken from the runtime before others have their turn: about 1 ms. */
const TAKEN_IN_A_ROW = 128;

/** The runtime's handle of a connection. */
interface ConnHandle {
  /** Answers 0, and says which one, where there is a peer. */
  getpeername(into: { address?: string }): number;
  close(): void;
}

/** The runtime's handle of a listener. */
interface ServerHandle {
  /** Called when connections wait. All that wait in the kernel were accepted by then. */
  onconnection: (status: number) => void;
  /** Hands out the next of them. Answers 0 if there was one. */
  accept(into: ConnHandle): number;
  listen(backlog: number): number;
  readonly constructor: new (type: number) => ConnHandle;
}

/** The type of a handle that is no listener. */
const CONNECTION = 0;

/** A connection that was accepted, which has no socket yet. */
interface Arrival {
  readonly handle: ConnHandle;
  readonly hostname: string;
  readonly number: number;
}

/**
 * Accepts connections over TCP. The runtime by itself would make sockets of all that wait in one go: a
 * thousand would keep everybody waiting. Here they are only taken from it, which costs little; those that
 * have their turn become sockets.
 */
export class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #servers: readonly Server[];
  /** Handles of listeners that may have connections to hand out. */
  readonly #ready = new Set<ServerHandle>();
  readonly #arrived = new Condition();
  #failed: ((error: ConnectionError) => void) | undefined;
  #admission: Admission<Arrival> | undefined;
  #taken = 0;
  readonly #look = new PeriodicLook(WAKE_MS, () => this.#wake());
  #isClosed = false;

  /** Whether connections can be accepted from the runtime's handle of this server. */
  static canServe(server: Server): boolean {
    const { accept, listen, onconnection } = new Object(handleOf(server)) as Partial<ServerHandle>;
    return [accept, listen, onconnection].every((each) => typeof each === "function");
  }

  /** @param servers Those that listen, which it can accept from. */
  constructor(servers: readonly Server[], address: Address) {
    this.#servers = servers;
    this.address = address;
    for (const server of servers) {
      const handle = handleOf(server)!;
      const { onconnection } = handle;
      handle.onconnection = (status) => {
        if (status !== 0) return onconnection.call(handle, status);
        this.#ready.add(handle);
        this.#arrived.notify();
      };
      server.on("error", (cause) => {
        this.#failed?.(new ConnectionError("accept", address, cause));
      });
    }
  }

  serve(events: AcceptEvents, shared: Shared): void {
    this.start(events.failed);
    this.#admission = new Admission<Arrival>(shared.turns, ({ handle, number }) => {
      // It may have been reset while it waited.
      if (this.#hasPeer(handle)) {
        events.accepted(new SocketSide(OwnReads.accepted(handle, shared)), number);
      }
    });
    void this.#takeAll(this.#admission, shared);
  }

  /** Begins. `failed` is told of clients that could not be accepted. */
  start(failed: (error: ConnectionError) => void): void {
    this.#failed = failed;
    this.#look.start();
  }

  /** Waits for the next connection, which is paused. `undefined` once the listener is closed. */
  async next(shared: Shared): Promise<OwnReads | undefined> {
    while (!this.#isClosed) {
      if (this.#ready.size === 0) await this.#arrived.wait();
      else {
        await shared.turns.takeIfBusy();
        const next = this.#take();
        if (next) return OwnReads.accepted(next.handle, shared);
      }
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#look.stop();
    for (const server of this.#servers) server.close();
    for (const { handle } of this.#admission?.clear() ?? []) handle.close();
    this.#arrived.notify();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes what has arrived. Those that have their turn do not wait until all of it is taken. */
  async #takeAll(admission: Admission<Arrival>, { turns }: Shared): Promise<void> {
    for (let inARow = 0; !this.#isClosed;) {
      if (this.#ready.size === 0) {
        await this.#arrived.wait();
        continue;
      }
      if (++inARow % TAKEN_IN_A_ROW === 0) await turns.take(true);
      const next = this.#take();
      if (next) admission.add(networkOf({ transport: "tcp", port: 0, ...next }), next);
    }
  }

  /** @returns `undefined` if there was none, or its client has reset it before it was accepted. */
  #take(): Arrival | undefined {
    const [listening] = this.#ready;
    if (listening === undefined) return undefined;
    const handle = new listening.constructor(CONNECTION);
    if (listening.accept(handle) !== 0) {
      handle.close();
      this.#ready.delete(listening);
      // The runtime looks for more only when it is told to.
      listening.listen(BACKLOG);
      return undefined;
    }
    const peer: { address?: string } = {};
    if (!this.#hasPeer(handle, peer)) return undefined;
    return { handle, hostname: plainHost(peer.address ?? ""), number: ++this.#taken };
  }

  /**
   * A connection that was reset has no peer any more. Nothing is done for it: thousands of them would
   * hold up the next client, each with a connection to the upstream.
   */
  #hasPeer(handle: ConnHandle, peer: { address?: string } = {}): boolean {
    if (handle.getpeername(peer) === 0) return true;
    handle.close();
    const cause = new Deno.errors.ConnectionReset("The client has reset its connection");
    this.#failed?.(new ConnectionError("accept", this.address, cause));
    return false;
  }

  /**
   * Lets the listeners accept again. Once the process has had no descriptor left for a client, the
   * runtime's listeners stop for ever without a word. Listening once more has no other effect.
   */
  #wake(): void {
    for (const server of this.#servers) handleOf(server)?.listen(BACKLOG);
  }
}

function handleOf(server: Server): ServerHandle | null {
  return (server as unknown as { readonly _handle: ServerHandle | null })._handle;
}
