/** What is shown over time, by the kind of server. */
import { bytes, count, ms } from "../common/units.ts";
import { quantile } from "./quantile.ts";
import type { BrokerStats, ProxyStats, SearchStats, Stats } from "./stats.ts";

/** A figure of one moment. Those that only grow are shown as what they grow by in a second. */
export interface Figure<S extends Stats = Stats> {
  readonly name: string;
  readonly isRate?: boolean;
  /** @param answerMs How long the server took to answer. */
  value(stats: S, answerMs: number): number;
  /** Instead: the figure of the last seconds, `null` if nothing happened in them. */
  readonly between?: (stats: S, before: S) => number | null;
  format(value: number): string;
  /** Whether a value above 0 is bad news. */
  readonly warns?: boolean;
}

/** Figures in one chart. */
export interface ChartInit {
  readonly title: string;
  readonly figures: readonly Figure[];
}

const rate = (value: number) => count(value);

const memory: Figure = { name: "Memory", value: ({ memoryBytes }) => memoryBytes, format: bytes };
const answer: Figure = { name: "Answer time", value: (_, answerMs) => answerMs, format: ms };

const broker = (
  name: string,
  key: keyof BrokerStats["broker"],
  more: Partial<Figure<BrokerStats>> = {},
): Figure => ({
  name,
  format: count,
  value: (stats: BrokerStats) => stats.broker[key],
  ...more,
} as Figure);

const search = (
  name: string,
  key: keyof SearchStats["search"],
  more: Partial<Figure<SearchStats>> = {},
): Figure => ({
  name,
  format: count,
  value: (stats: SearchStats) => stats.search[key],
  ...more,
} as Figure);

const delay = (name: string, share: number): Figure =>
  ({
    name,
    format: ms,
    value: () => 0,
    between: (stats: BrokerStats, before: BrokerStats) =>
      quantile(stats.delayBuckets, before.delayBuckets, share),
  }) as Figure;

const published = broker("Published / s", "published", { isRate: true, format: rate });
const delivered = broker("Delivered / s", "delivered", { isRate: true, format: rate });
const missed = broker("Missed / s", "missed", { isRate: true, format: rate, warns: true });
const connections = broker("Connections", "connections");
const pending = broker("Waiting", "pendingBytes", { format: bytes });

const searches = search("Searches / s", "searches", { isRate: true, format: rate });
const lookups = search("Lookups / s", "lookups", { isRate: true, format: rate });
const p50 = search("Median", "searchP50Ms", { format: ms });
const p99 = search("99 %", "searchP99Ms", { format: ms });
const clients = {
  name: "Connections",
  value: ({ connections }: SearchStats) => connections,
  format: count,
} as Figure;
const queued = search("Waiting", "queued");

const proxy = (
  name: string,
  key: "connections" | "accepted" | "broken" | "fired" | "upBytes" | "downBytes",
  more: Partial<Figure<ProxyStats>> = {},
): Figure => ({
  name,
  format: count,
  value: (stats: ProxyStats) => stats.proxy[key],
  ...more,
} as Figure);

const speed = (value: number) => `${bytes(value)}/s`;
const up = proxy("Up", "upBytes", { isRate: true, format: speed });
const down = proxy("Down", "downBytes", { isRate: true, format: speed });
const proxied = proxy("Connections", "connections");
const fired = proxy("Faults / s", "fired", { isRate: true, format: rate });

/** The tiles of each kind of server. */
export const TILES: Readonly<Record<Stats["role"], readonly Figure[]>> = {
  "broker": [
    published,
    delivered,
    missed,
    connections,
    broker("Subscriptions", "subscriptions"),
    broker("Retained", "retained"),
    pending,
    delay("Delay, 99 %", 0.99),
    memory,
  ],
  "app-server": [
    searches,
    lookups,
    { ...p50, name: "Median search" },
    { ...p99, name: "99 % below" },
    search("Slowest", "searchMaxMs", { format: ms }),
    search("Failed / s", "failed", { isRate: true, format: rate, warns: true }),
    search("Entries", "entries"),
    clients,
    memory,
  ],
  "proxy": [
    up,
    down,
    proxied,
    proxy("Accepted", "accepted"),
    proxy("Broken off", "broken"),
    proxy("Faults fired", "fired"),
    memory,
  ],
};

/** The charts of each kind of server. */
export const CHARTS: Readonly<Record<Stats["role"], readonly ChartInit[]>> = {
  "broker": [
    { title: "Publications a second", figures: [published, delivered] },
    { title: "Missed a second", figures: [missed] },
    { title: "Waiting for slow clients", figures: [pending] },
    { title: "Connections", figures: [connections] },
    { title: "Delivery delay", figures: [delay("Median", 0.5), delay("99 %", 0.99)] },
    { title: "Memory", figures: [memory] },
  ],
  "app-server": [
    { title: "Requests a second", figures: [searches, lookups] },
    { title: "Search time, last 1,024", figures: [p50, p99] },
    { title: "Searches that wait for a worker", figures: [queued] },
    { title: "Connections", figures: [clients] },
    { title: "Memory", figures: [memory] },
    { title: "Answer time of the server", figures: [answer] },
  ],
  "proxy": [
    { title: "Bytes a second", figures: [up, down] },
    { title: "Faults fired a second", figures: [fired] },
    { title: "Connections", figures: [proxied] },
    { title: "Memory", figures: [memory] },
  ],
};
