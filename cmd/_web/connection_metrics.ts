import type { Metric } from "../../lib/web/mod.ts";

/** Connections of a server. */
export interface ConnectionCounts {
  readonly connections: number;
  readonly accepted: number;
  readonly refused: number;
}

/** The figures of connections that all servers have, under the same names. */
export function connectionMetrics(counts: () => ConnectionCounts): Metric[] {
  return [
    {
      name: "socktool_connections",
      help: "Open connections, with those over WebSocket",
      type: "gauge",
      values: () => counts().connections,
    },
    {
      name: "socktool_connections_accepted_total",
      help: "Connections accepted",
      type: "counter",
      values: () => counts().accepted,
    },
    {
      name: "socktool_connections_refused_total",
      help: "Connections refused because there were too many",
      type: "counter",
      values: () => counts().refused,
    },
  ];
}

/** A figure that goes up and down. */
export function gauge(name: string, help: string, values: Metric["values"]): Metric {
  return { name: `socktool_${name}`, help, type: "gauge", values };
}

/** A figure that only grows. */
export function counter(name: string, help: string, values: Metric["values"]): Metric {
  return { name: `socktool_${name}_total`, help, type: "counter", values };
}
