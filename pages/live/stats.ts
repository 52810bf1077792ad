/** What `/api/stats` answers, as far as the page shows it. */

/** What all servers tell. */
interface Common {
  readonly version: string;
  /** Names this start of the server: counters begin anew with another. */
  readonly startedAt: number;
  readonly uptimeMs: number;
  /** Memory of the process. */
  readonly memoryBytes: number;
}

/** Pairs of a bound and how many are not above it, from the lowest bound on. */
export type Buckets = readonly (readonly [bound: number | null, count: number])[];

/** A connection of a broker. */
export interface ClientFigures {
  readonly id: number;
  readonly remote: string;
  readonly name: string;
  readonly user: string;
  readonly filters: number;
  readonly pendingBytes: number;
  readonly published: number;
  readonly delivered: number;
  readonly missed: number;
  readonly openMs: number;
}

/** A filter that somebody subscribes to. */
export interface TopicFigures {
  readonly filter: string;
  readonly subscribers: number;
  readonly groups: Readonly<Record<string, number>>;
}

/** A stream. */
export interface StreamFigures {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly consumers: readonly {
    readonly consumer: string;
    readonly pending: number;
    readonly unacked: number;
    readonly redelivered: number;
    readonly dead: number;
    readonly members: number;
    readonly oldestUnackedMs: number;
  }[];
}

/** A broker. Lists are left out where the user may not see them. */
export interface BrokerStats extends Common {
  readonly role: "broker";
  readonly broker: {
    readonly connections: number;
    readonly subscriptions: number;
    readonly retained: number;
    readonly pendingBytes: number;
    readonly published: number;
    readonly delivered: number;
    readonly missed: number;
  };
  /**
   * How many publications so far waited no longer than so many milliseconds for a socket, of a sample;
   * the last, whose bound is `null`, is all of them.
   */
  readonly delayBuckets: Buckets;
  readonly clients?: readonly ClientFigures[];
  readonly topics?: readonly TopicFigures[];
  readonly streams?: readonly StreamFigures[];
}

/** A search server. */
export interface SearchStats extends Common {
  readonly role: "app-server";
  readonly connections: number;
  readonly search: {
    readonly entries: number;
    readonly indexBytes: number;
    readonly searches: number;
    readonly lookups: number;
    readonly failed: number;
    readonly corrected: number;
    readonly writes: number;
    readonly queued: number;
    readonly workers: number;
    readonly searchP50Ms: number;
    readonly searchP99Ms: number;
    readonly searchMaxMs: number;
  };
  readonly indexing: {
    readonly isRunning: boolean;
    readonly progress?: number;
    readonly path?: string;
    readonly finishedAt?: number;
    readonly durationMs?: number;
    readonly added?: number;
    readonly updated?: number;
    readonly removed?: number;
  };
}

/** A fault of a proxy. */
export interface FaultFigures {
  readonly fault: string;
  /** How often it did something. */
  readonly fired: number;
  /** Whether it is set; else it was. */
  readonly set: boolean;
}

/** Something that happened on a proxy. */
export interface ProxyEvent {
  readonly number: number;
  readonly at: number;
  readonly connection: number;
  readonly what: "opened" | "closed" | "fault" | "notice";
  readonly client?: string;
  readonly reason?: string;
  readonly error?: string;
  readonly fault?: string;
  readonly direction?: string;
  readonly offset?: number;
  readonly notice?: string;
}

/** A proxy. */
export interface ProxyStats extends Common {
  readonly role: "proxy";
  readonly proxy: {
    readonly address: string;
    readonly upstream: string;
    readonly seed: number;
    readonly connections: number;
    readonly accepted: number;
    readonly broken: number;
    readonly fired: number;
    readonly upBytes: number;
    readonly downBytes: number;
  };
  readonly faults: readonly FaultFigures[];
  /** The youngest first; of many, not all. */
  readonly connections: readonly {
    readonly id: number;
    readonly client: string;
    readonly upBytes: number;
    readonly downBytes: number;
    readonly openMs: number;
  }[];
  /** The last ones, the youngest first. */
  readonly events: readonly ProxyEvent[];
}

/** Any server. */
export type Stats = BrokerStats | SearchStats | ProxyStats;
