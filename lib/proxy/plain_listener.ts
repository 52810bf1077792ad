import type { AddressInfo, Server } from "node:net";
import { Condition } from "../base/condition.ts";
import { PeriodicLook } from "../base/periodic_look.ts";
import { closedError } from "../net/accept_queue.ts";
import { type Address, ConnectionError } from "../net/mod.ts";
import { Entrance } from "./entrance.ts";
import { readFirst, type ReadHandle, takeFirst } from "./first_bytes.ts";
import type { AcceptEvents, SocketListener } from "./proxy_listener.ts";
import { OwnReads } from "./own_reads.ts";
import type { Shared } from "./shared.ts";
import { plainHost, SocketSide } from "./socket_side.ts";

/** How many connections the kernel queues until they are accepted. */
export const BACKLOG = 4_096;

/**
 * So many connections are taken from the runtime in one turn: about 1 ms. Were they fewer than come
 * meanwhile, the kernel's queue would be full, and who comes then tries again after a second only.
 */
const TAKEN_IN_A_TURN = 128;

/** How often a listener is woken that may have failed to accept. */
const WAKE_MS = 250;

/** How often it looks for one after there was a lack of descriptors. */
const SHORT_LOOK_MS = 2;

/** The runtime's handle of a connection. */
export interface ConnHandle extends ReadHandle {
  /** Answers 0, and says which one, where there is a peer. */
  getpeername(into: { address?: string }): number;
  /** Makes a socket, and binds it. Answers 0, or why it could not. */
  bind(hostname: string, port: number): number;
  bind6(hostname: string, port: number): number;
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

/**
 * After this many connections in a row it checks whether a descriptor is left for one more. A check
 * after every connection would take a tenth of the time of a short one.
 */
const MANY_AT_ONCE = 8;

/** The type of a handle that is no listener. */
const CONNECTION = 0;

/** What the runtime answers where the process, or the system, has no descriptor left. */
const NO_DESCRIPTOR: readonly number[] = [-24, -23];

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
  /** What the next call of `accept` throws. */
  #failure: { readonly cause: unknown } | undefined;
  /** Whether the runtime had no descriptor for a client, so that it has stopped accepting. */
  #isShort = false;
  #entrance: Entrance<ConnHandle> | undefined;
  /** How many were taken since there were none. */
  #taken = 0;
  /** Whether there was a shortage at the last look, or since. */
  #wasShort = false;
  readonly #look = new PeriodicLook(WAKE_MS, () => {
    this.#wake();
    this.#wasShort = false;
    this.#noteShortage();
  });
  #soon: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Whether connections can be accepted from the runtime's handle of this server. */
  static canServe(server: Server): boolean {
    const handle = new Object(handleOf(server)) as Partial<ServerHandle & ConnHandle>;
    const { accept, listen, onconnection, useUserBuffer, readStart, readStop, getBytesRead } =
      handle;
    const needed = [accept, listen, onconnection, useUserBuffer, readStart, readStop, getBytesRead];
    return needed.every((each) => typeof each === "function");
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
      server.on("error", (cause) => this.#fail(cause));
    }
  }

  serve(events: AcceptEvents, shared: Shared): void {
    this.#entrance = new Entrance<ConnHandle>(this, shared.turns, {
      remoteOf: (handle) => {
        const peer: { address?: string } = {};
        handle.getpeername(peer);
        return { transport: "tcp", port: 0, hostname: plainHost(peer.address ?? "") };
      },
      admitted: (handle, number) => {
        // It may have been reset while it waited.
        if (hasPeer(handle)) {
          const first = takeFirst(handle);
          return events.accepted(new SocketSide(OwnReads.accepted(handle, shared, first)), number);
        }
        events.failed(new ConnectionError("accept", this.address, hasReset()));
        return undefined;
      },
      waits: readFirst,
      letGo: (handle) => handle.close(),
      failed: (error) => events.failed(error),
    }, TAKEN_IN_A_TURN);
  }

  /** Whether more have come than were accepted: it is known of many in a row only. */
  get hasMore(): boolean {
    return this.#taken >= MANY_AT_ONCE;
  }

  /** Waits for the next connection, which has no socket yet. Rejects when the listener is closed. */
  async accept(): Promise<ConnHandle> {
    this.#look.start();
    if (this.#isShort) {
      this.#wake();
      this.#lookSoon();
    }
    this.#isShort = false;
    while (!this.#isClosed) {
      if (this.#failure) {
        const { cause } = this.#failure;
        this.#failure = undefined;
        throw cause;
      }
      const [listening] = this.#ready;
      if (listening === undefined) await this.#arrived.wait();
      else {
        const next = this.#take(listening);
        if (next) return next;
      }
    }
    throw closedError();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#entrance?.close();
    this.#look.stop();
    clearTimeout(this.#soon);
    for (const server of this.#servers) server.close();
    this.#arrived.notify();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * A connection that was reset has no peer any more. Nothing is done for it: thousands of them would
   * hold up the next client, each with a connection to the upstream.
   *
   * @returns `undefined` if there is none. Throws if its client has reset it.
   */
  #take(listening: ServerHandle): ConnHandle | undefined {
    const handle = new listening.constructor(CONNECTION);
    if (listening.accept(handle) !== 0) {
      handle.close();
      this.#ready.delete(listening);
      // The runtime looks for more only when it is told to.
      listening.listen(BACKLOG);
      if (this.#wasShort || this.#taken >= MANY_AT_ONCE) this.#noteShortage();
      this.#taken = 0;
      return undefined;
    }
    this.#taken++;
    if (hasPeer(handle)) return handle;
    throw hasReset();
  }

  /**
   * Lets the listeners accept again. Once the process has had no descriptor left for a client, the
   * runtime's listeners stop for ever without a word. Listening once more has no other effect.
   */
  #wake(): void {
    for (const server of this.#servers) handleOf(server)?.listen(BACKLOG);
  }

  /** Looks often after a shortage: whether there is one again the runtime does not tell, nor when it is over. */
  #lookSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => {
      if (this.#ready.size === 0) this.#wake();
      this.#noteShortage();
      if (this.#wasShort && !this.#isShort) this.#lookSoon();
    }, SHORT_LOOK_MS);
  }

  /** Finds out whether the runtime has stopped accepting because no descriptor is left. */
  #noteShortage(): void {
    const [server] = this.#servers;
    const listening = handleOf(server!);
    if (this.#isShort || this.#ready.size > 0 || !listening) return;
    const probe = new listening.constructor(CONNECTION);
    // Where it listens already, so that it may. Nothing becomes of it.
    const { address, port, family } = server!.address() as AddressInfo;
    const status = family === "IPv6" ? probe.bind6(address, port) : probe.bind(address, port);
    probe.close();
    if (!NO_DESCRIPTOR.includes(status)) return;
    this.#isShort = this.#wasShort = true;
    this.#fail(Object.assign(new Error("No descriptor is left for a client"), { code: "EMFILE" }));
  }

  #fail(cause: unknown): void {
    this.#failure = { cause };
    this.#arrived.notify();
  }
}

/** Whether the client has not reset it. If it has, it is closed. */
function hasPeer(handle: ConnHandle): boolean {
  if (handle.getpeername({}) === 0) return true;
  handle.close();
  return false;
}

function hasReset(): Error {
  return new Deno.errors.ConnectionReset("The client has reset its connection");
}

function handleOf(server: Server): ServerHandle | null {
  return (server as unknown as { readonly _handle: ServerHandle | null })._handle;
}
