import type { Server } from "node:net";
import { Condition } from "../base/condition.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { OwnReads } from "./own_reads.ts";
import type { Shared } from "./shared.ts";
import { SocketSide } from "./socket_side.ts";

/** How many connections the kernel queues until they are accepted. */
export const BACKLOG = 4_096;

/** How often a listener is woken that may have failed to accept. */
const WAKE_MS = 250;

/** The runtime's handle of a connection. */
interface ConnHandle {
  /** Answers 0 where there is a peer. */
  getpeername(into: object): number;
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

/**
 * Accepts connections over TCP, one after the other. The runtime by itself would accept all that wait
 * and make sockets of all of them in one go: a thousand would keep everybody waiting.
 */
export class PlainListener implements SocketListener {
  readonly address: Address;
  readonly secure = false;
  readonly #servers: readonly Server[];
  /** Handles of listeners that may have connections to hand out. */
  readonly #ready = new Set<ServerHandle>();
  readonly #arrived = new Condition();
  #failed: ((error: ConnectionError) => void) | undefined;
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
    void this.#acceptAll(events, shared);
  }

  /** Begins. `failed` is told of clients that could not be accepted. */
  start(failed: (error: ConnectionError) => void): void {
    this.#failed = failed;
    this.#look.start();
  }

  /** Waits for the next connection, which is paused. `undefined` once the listener is closed. */
  async next(shared: Shared): Promise<OwnReads | undefined> {
    while (!this.#isClosed) {
      const next = this.#next(shared);
      if (next instanceof OwnReads) return next;
      await next;
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#look.stop();
    for (const server of this.#servers) server.close();
    this.#arrived.notify();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Accepts all of a turn's connections without an `await` between them, during which flows would go on. */
  async #acceptAll({ accepted }: AcceptEvents, shared: Shared): Promise<void> {
    while (!this.#isClosed) {
      const next = this.#next(shared);
      if (next instanceof OwnReads) accepted(new SocketSide(next));
      else await next;
    }
  }

  /**
   * The next connection, or what to wait for before there may be one. Where many come at once, others
   * have their turn between them.
   */
  #next(shared: Shared): OwnReads | Promise<void> | undefined {
    if (this.#ready.size === 0) return this.#arrived.wait();
    return shared.turns.takeIfBusy() ?? this.#accept(shared);
  }

  /** @returns `undefined` if there was none, or its client has reset it before it was accepted. */
  #accept(shared: Shared): OwnReads | undefined {
    const [listening] = this.#ready;
    const handle = new listening!.constructor(CONNECTION);
    if (listening!.accept(handle) !== 0) {
      handle.close();
      this.#ready.delete(listening!);
      // The runtime looks for more only when it is told to.
      listening!.listen(BACKLOG);
      return undefined;
    }
    // A connection that was reset has no peer any more. Nothing is done for it: thousands of them would
    // hold up the next client, each with a connection to the upstream.
    if (handle.getpeername({}) === 0) return OwnReads.accepted(handle, shared);
    handle.close();
    const cause = new Deno.errors.ConnectionReset("The client has reset its connection");
    this.#failed?.(new ConnectionError("accept", this.address, cause));
    return undefined;
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
