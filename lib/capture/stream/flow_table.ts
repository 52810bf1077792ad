import { AgingMap } from "../../base/aging_map.ts";
import { Budget } from "../../base/budget.ts";
import { FLAG, type TcpSegment } from "../packet/tcp_segment.ts";
import type { Direction } from "../../net/direction.ts";
import type { Ending, SeenConnection, TrafficObserver } from "../traffic.ts";
import { Reassembler } from "./reassembler.ts";

/** At most this many connections are followed at a time; of more, one that is silent is given up. */
const MAX_FLOWS = 65_536;

/** Among this many, the most silent one is given up; the next time others are compared. */
const LOOKED_AT = 16;

/** What all connections together hold of segments that came before their turn, in bytes. */
const MAX_HELD_BYTES = 16_777_216;

/** Connections that are over and still remembered: what is sent again on them begins no other one. */
const MAX_OVER = 8_192;

/** Ports of our own servers, for connections whose beginning is not there. */
const KNOWN_PORTS: readonly number[] = [5634, 5635];

/** Ports from here on are given to clients by most systems. */
const CLIENT_PORTS = 32_768;

/** Makes connections of TCP segments, and streams of bytes of their payloads. */
export class FlowTable {
  readonly #observer: TrafficObserver;
  readonly #flows = new AgingMap<string, Flow>();
  /** Connections that are over: what is sent again on them begins no other one. */
  readonly #over = new AgingMap<string, true>();
  readonly #memory = new Budget("segments out of order", MAX_HELD_BYTES);
  #lastId = 0;
  /** Payload bytes that were captured more than once. */
  repeatedBytes = 0;

  /** @param observer Is told what the streams are. */
  constructor(observer: TrafficObserver) {
    this.#observer = observer;
  }

  /** Takes the next segment of the capture. */
  segment(segment: TcpSegment, timeUs: number): void {
    const { source, target } = segment;
    const key = source < target ? `${source} ${target}` : `${target} ${source}`;
    let flow = this.#flows.get(key);
    if (flow?.isReplacedBy(segment)) {
      this.#close(key, flow, "replaced", timeUs);
      flow = undefined;
    }
    if (!flow) {
      if (!this.#begins(key, segment)) return;
      if (this.#flows.size >= MAX_FLOWS) this.#forgetSilent(timeUs);
      flow = new Flow(++this.#lastId, segment, timeUs, this.#observer, this.#memory);
      this.#flows.set(key, flow);
    }
    const ending = flow.segment(segment, timeUs);
    if (ending !== undefined) this.#close(key, flow, ending, timeUs);
  }

  /** Ends all connections: nothing follows in the capture. */
  end(): void {
    for (let next = this.#flows.takeOldest(); next; next = this.#flows.takeOldest()) {
      this.#close(...next, "open", next[1].lastUs);
    }
  }

  /** Whether a segment begins a connection, or belongs to one that began before the capture. */
  #begins(key: string, { flags, payload, cutBytes }: TcpSegment): boolean {
    if (flags & FLAG.rst) return false;
    if (flags & FLAG.syn) return (flags & FLAG.ack) === 0 || !this.#over.has(key);
    return payload.length + cutBytes > 0 && !this.#over.has(key);
  }

  /** Gives up the one of some connections that has been silent for longest. */
  #forgetSilent(timeUs: number): void {
    const looked = Array.from({ length: LOOKED_AT }, () => this.#flows.takeOldest()!);
    const silent = looked.reduce((one, other) => other[1].lastUs < one[1].lastUs ? other : one);
    // Others are looked at next time.
    for (const [key, flow] of looked) if (key !== silent[0]) this.#flows.set(key, flow);
    this.#close(...silent, "open", timeUs);
  }

  #close(key: string, flow: Flow, how: Ending, timeUs: number): void {
    this.#flows.delete(key);
    this.#over.set(key, true);
    if (this.#over.size > MAX_OVER) this.#over.takeOldest();
    flow.close(how, timeUs);
    this.repeatedBytes += flow.repeatedBytes;
  }
}

/** One connection. */
class Flow {
  /** When its last segment came. */
  lastUs: number;
  readonly #connection: SeenConnection;
  readonly #observer: TrafficObserver;
  readonly #up: FlowStream;
  readonly #down: FlowStream;

  constructor(
    id: number,
    segment: TcpSegment,
    timeUs: number,
    observer: TrafficObserver,
    memory: Budget,
  ) {
    const { source, target } = segment;
    const isFromClient = sentByClient(segment);
    this.lastUs = timeUs;
    this.#observer = observer;
    this.#connection = {
      id,
      client: isFromClient ? source : target,
      server: isFromClient ? target : source,
      fromStart: (segment.flags & FLAG.syn) !== 0,
      openedUs: timeUs,
    };
    this.#up = new FlowStream(this.#connection, "up", observer, memory);
    this.#down = new FlowStream(this.#connection, "down", observer, memory);
    observer.opened(this.#connection, timeUs);
  }

  get repeatedBytes(): number {
    return this.#up.repeatedBytes + this.#down.repeatedBytes;
  }

  /** Whether a segment begins another connection between the same ports. */
  isReplacedBy({ source, flags, sequence }: TcpSegment): boolean {
    if ((flags & FLAG.syn) === 0 || (flags & FLAG.ack) !== 0) return false;
    return this.#isUp(source) ? this.#up.initial !== sequence : this.#down.initial !== sequence;
  }

  /** Takes a segment of it. @returns how it ended, if this is its end. */
  segment(segment: TcpSegment, timeUs: number): "reset" | "closed" | undefined {
    const { flags, sequence, payload, cutBytes } = segment;
    const isUp = this.#isUp(segment.source);
    const stream = isUp ? this.#up : this.#down;
    const back = isUp ? this.#down : this.#up;
    this.lastUs = timeUs;
    let first = sequence;
    if (flags & FLAG.syn) {
      stream.initial ??= sequence;
      // The SYN takes a number itself. Payload may come with it.
      first = (sequence + 1) >>> 0;
      stream.begin(first);
      if (flags & FLAG.ack) back.begin(segment.acknowledged);
    }
    stream.segment(first, payload, cutBytes, timeUs);
    if (flags & FLAG.ack) back.acknowledge(segment.acknowledged, timeUs);
    if (flags & FLAG.rst) return "reset";
    if (flags & FLAG.fin) stream.finish(first + payload.length + cutBytes, timeUs);
    return stream.over && back.over ? "closed" : undefined;
  }

  /** Hands out what is held, and tells the end. */
  close(how: Ending, timeUs: number): void {
    this.#up.flush(timeUs);
    this.#down.flush(timeUs);
    this.#observer.closed(this.#connection, how, timeUs);
  }

  #isUp(source: string): boolean {
    return source === this.#connection.client;
  }
}

/** One direction of a connection. */
class FlowStream extends Reassembler {
  /** The sender's initial sequence number, if it was seen. */
  initial: number | undefined;
  readonly #connection: SeenConnection;
  readonly #direction: Direction;
  readonly #observer: TrafficObserver;

  constructor(
    connection: SeenConnection,
    direction: Direction,
    observer: TrafficObserver,
    memory: Budget,
  ) {
    super(memory);
    this.#connection = connection;
    this.#direction = direction;
    this.#observer = observer;
  }

  protected override bytes(bytes: Uint8Array, timeUs: number): void {
    this.#observer.bytes(this.#connection, this.#direction, bytes, timeUs);
  }

  protected override missing(count: number, timeUs: number): void {
    this.#observer.gap(this.#connection, this.#direction, count, timeUs);
  }

  protected override ended(timeUs: number): void {
    this.#observer.ended(this.#connection, this.#direction, timeUs);
  }
}

/** Who opens a connection sends a SYN alone. Where that is not there, the ports decide. */
function sentByClient({ source, target, flags }: TcpSegment): boolean {
  if (flags & FLAG.syn) return (flags & FLAG.ack) === 0;
  const [from, to] = [portOf(source), portOf(target)];
  const [knownFrom, knownTo] = [KNOWN_PORTS.includes(from), KNOWN_PORTS.includes(to)];
  if (knownFrom !== knownTo) return knownTo;
  const [highFrom, highTo] = [from >= CLIENT_PORTS, to >= CLIENT_PORTS];
  return highFrom !== highTo ? highFrom : from >= to;
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(":") + 1));
}
