import type { Address } from "../net/mod.ts";
import type { Direction } from "../net/direction.ts";
import type { FaultSet } from "./faults/fault_set.ts";
import { Flow, type FlowEvents } from "./flow.ts";
import type { FlowTurns } from "./flow_turns.ts";
import type { ProxiedConnection, ProxyCloseReason, ProxyNotice } from "./observer.ts";
import type { Side, SideEvents } from "./side.ts";

/** What a {@linkcode Relay} tells of. */
export interface RelayEvents {
  passed(relay: Relay, direction: Direction, bytes: Uint8Array, offset: number): void;
  halfClosed(relay: Relay, direction: Direction): void;
  reset(relay: Relay, by: "client" | "upstream" | "proxy"): void;
  noticed(relay: Relay, direction: Direction, notice: ProxyNotice): void;
  closed(relay: Relay, reason: ProxyCloseReason, error?: unknown): void;
}

/** A peer that does not close a connection which a fault has closed is given this long. */
const LINGER_MS = 1_000;

/** A client's connection, and the one to the upstream that is made for it. */
export class Relay implements ProxiedConnection, FlowEvents {
  readonly id: number;
  readonly client: Address;
  readonly accepted: Address;
  readonly openedAt = performance.now();
  upstream: Address;
  dialled: Address | undefined;
  readonly #clientSide: Side;
  #upstreamSide: Side | undefined;
  readonly #events: RelayEvents;
  readonly #faults: FaultSet;
  readonly #turns: FlowTurns;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #up: Flow | undefined;
  #down: Flow | undefined;
  /** Sides whose socket is open. */
  #open = 1;
  #reason: ProxyCloseReason | undefined;
  #error: unknown;

  constructor(
    id: number,
    client: Side,
    upstream: Address,
    { faults, turns }: { readonly faults: FaultSet; readonly turns: FlowTurns },
    events: RelayEvents,
  ) {
    this.#turns = turns;
    this.id = id;
    this.client = client.remote;
    this.accepted = client.local;
    this.upstream = upstream;
    this.#clientSide = client;
    this.#faults = faults;
    this.#events = events;
    client.listen(this.#eventsOf("client"));
  }

  get upBytes(): number {
    return this.#up?.passedBytes ?? 0;
  }

  get downBytes(): number {
    return this.#down?.passedBytes ?? 0;
  }

  /** Whether it ends, as when the client has gone while the upstream was dialled. */
  get isOver(): boolean {
    return this.#open === 0 || this.#reason !== undefined;
  }

  /** Whether the client is known to have sent something. */
  get hasSent(): boolean {
    return this.#clientSide.hasRead;
  }

  /** Whether the client has sent nothing yet, or has not reached the upstream. */
  get isUnproven(): boolean {
    return !(this.hasSent && this.#upstreamSide) && !this.isOver;
  }

  /** Joins the client with the upstream, and lets bytes pass. */
  join(upstream: Side): void {
    this.#upstreamSide = upstream;
    this.#open++;
    this.upstream = upstream.remote;
    this.dialled = upstream.local;
    this.#up = new Flow("up", this.#clientSide, upstream, this.#faults, this, this.#turns);
    this.#down = new Flow("down", upstream, this.#clientSide, this.#faults, this, this.#turns);
    upstream.listen(this.#eventsOf("upstream"));
  }

  /** Begins to read. */
  start(): void {
    this.#clientSide.resume();
    this.#upstreamSide!.resume();
    this.#faults.listen(this.#look);
    this.#look();
  }

  /** Other faults are in force. */
  readonly #look = () => {
    this.#up?.look();
    this.#down?.look();
  };

  /** Breaks off both sides: the proxy wants it so. */
  reset(reason: ProxyCloseReason, error?: unknown): void {
    if (this.isOver) return;
    this.#reason = reason;
    this.#error = error;
    this.#events.reset(this, "proxy");
    this.#up?.stop();
    this.#down?.stop();
    this.#clientSide.reset();
    this.#upstreamSide?.reset();
  }

  passing(direction: Direction, bytes: Uint8Array, offset: number): void {
    this.#events.passed(this, direction, bytes, offset);
  }

  ended(direction: Direction): void {
    this.#events.halfClosed(this, direction);
  }

  struck(by: "close" | "reset"): void {
    if (by === "reset") return this.reset("fault");
    if (this.#reason !== undefined) return;
    this.#reason = "fault";
    this.#up?.stop();
    this.#down?.stop();
    for (const side of [this.#clientSide, this.#upstreamSide!]) {
      side.end();
      // What still comes is read and dropped: a system that closes a socket with unread bytes resets it.
      side.discard();
    }
    this.#linger = setTimeout(() => {
      this.#clientSide.close();
      this.#upstreamSide!.close();
    }, LINGER_MS);
  }

  noticed(direction: Direction, notice: ProxyNotice): void {
    this.#events.noticed(this, direction, notice);
  }

  #eventsOf(who: "client" | "upstream"): SideEvents {
    // What a side sends goes one way, what it has room for comes the other way.
    const outgoing = () => who === "client" ? this.#up : this.#down;
    const incoming = () => who === "client" ? this.#down : this.#up;
    return {
      received: (bytes) => outgoing()?.received(bytes) ?? true,
      ended: () => outgoing()?.ended(),
      drained: () => incoming()?.drained(),
      failed: (cause) => this.#failed(who, cause),
      closed: () => this.#sideClosed(),
    };
  }

  #failed(who: "client" | "upstream", cause: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = "reset";
    this.#error = cause;
    this.#events.reset(this, who);
    const [outgoing, incoming] = who === "client" ? [this.#up, this.#down] : [this.#down, this.#up];
    incoming?.stop();
    outgoing?.broken();
  }

  #sideClosed(): void {
    if (--this.#open > 0) return;
    clearTimeout(this.#linger);
    this.#faults.unlisten(this.#look);
    this.#up?.stop();
    this.#down?.stop();
    this.#events.closed(this, this.#reason ?? "done", this.#error);
  }
}
