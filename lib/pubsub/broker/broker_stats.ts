import type { BackplaneFigures } from "./backplane.ts";
import type { StreamTotals } from "./streams/stream_store.ts";

/** One connection of a broker, in figures. */
export interface BrokerConnection {
  /** Names it for as long as the broker runs. */
  readonly id: number;
  /** Its peer, as `HOST:PORT` or `unix:PATH`. */
  readonly remote: string;
  /** What the client calls itself; empty if it did not say. */
  readonly name: string;
  /** Who it is by the authentication; `anonymous` where there is none. */
  readonly user: string;
  /** Subscriptions that it has. */
  readonly filters: number;
  /** Bytes that wait for it. */
  readonly pendingBytes: number;
  /** Publications that it sent. */
  readonly published: number;
  /** Publications handed to its socket. */
  readonly delivered: number;
  /** Publications left out because it did not keep up. */
  readonly missed: number;
  /** How long it has been open, in milliseconds. */
  readonly openMs: number;
}

/** A broker in figures. */
export interface BrokerStats {
  /** How long the broker has run, in milliseconds. */
  readonly uptimeMs: number;
  /** Open connections. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Connections refused since the start, because there were too many. */
  readonly refused: number;
  /** Filters that somebody subscribes to. */
  readonly filters: number;
  /** Subscriptions: one for each filter of each connection. */
  readonly subscriptions: number;
  /** Topics that have a retained frame. */
  readonly retained: number;
  /** Bytes that the retained frames take. */
  readonly retainedBytes: number;
  /** Bytes that wait for all connections. */
  readonly pendingBytes: number;
  /** Of these, bytes that wait in backlogs, with what keeping them costs. */
  readonly backlogBytes: number;
  /** Bytes that filters and groups take, approximately. */
  readonly filterBytes: number;
  /** Bytes that caches take, approximately: routes, and what headers ask for. */
  readonly speedBytes: number;
  /** Bytes of frames that are not complete. */
  readonly unfinishedBytes: number;
  /** Bytes that were handed to connections and that their peers have not read. */
  readonly unreadBytes: number;
  /** The limit of the last six figures and of retained frames, all together. */
  readonly maxMemoryBytes: number;
  /** Requests refused and connections ended since the start, because there was no memory left. */
  readonly overBudget: number;
  /** Publications that came since the start. */
  readonly published: number;
  /** Bytes of these. */
  readonly publishedBytes: number;
  /** Publications handed to sockets since the start. */
  readonly delivered: number;
  /** Bytes of these. */
  readonly deliveredBytes: number;
  /** Publications left out since the start, because subscribers did not keep up. */
  readonly missed: number;
  /** Requests that were refused since the start. */
  readonly errors: number;
  /** Streams and consumers, where the broker has a store. */
  readonly streams: StreamTotals | undefined;
  /** What connects it with other brokers, where there may be some. */
  readonly backplane: BackplaneFigures | undefined;
}

/** A connection whose figures can be asked for. */
export interface ConnectionSource {
  /** Names it for as long as the broker runs. */
  readonly id: number;
  /** Bytes that wait for it. */
  readonly pendingBytes: number;
  /** Publications left out because it did not keep up. */
  readonly missed: number;
  /** All figures, as of this moment. */
  readonly figures: BrokerConnection;
}

/** Tells figures of a broker. */
export interface BrokerFigures {
  /** The broker in figures, as of this moment. */
  stats(): BrokerStats;
  /** Its open connections. May be iterated while connections open and close. */
  sources(): Iterable<ConnectionSource>;
}

/** Totals that connections add to, and that stay when they are closed. */
export interface Counters {
  published: number;
  publishedBytes: number;
  delivered: number;
  deliveredBytes: number;
  missed: number;
  errors: number;
  overBudget: number;
  subscriptions: number;
}
