import { type OpenMetricsContentType, Registry } from "prom-client";
import type { Principal } from "../access/mod.ts";
import type { TimeHistogram } from "./histogram.ts";
import { WebError } from "./reply.ts";
import type { Route } from "./route.ts";

/** A number, or several that differ in their labels. Labels have few values that never change. */
export type MetricValues =
  | number
  | readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];

/** A figure that is looked up whenever it is asked for. */
export interface Metric {
  /** In Prometheus' style: `socktool_connections`; of a counter it ends with `_total`. */
  readonly name: string;
  /** What it says, in one line. */
  readonly help: string;
  /** Whether it only grows, or goes up and down. */
  readonly type: "counter" | "gauge";
  /** Looks it up. */
  values(): MetricValues;
}

/** Who may read the metrics, where there is an authenticator. */
export interface MetricsOptions {
  /** Whether a client may. @default {whoever has logged in} */
  readonly may?: ((principal: Principal) => boolean) | undefined;
}

/** A metric as the registry of `prom-client` asks for it. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  get(): {
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: object[];
  };
}

/**
 * The figures of a server for Prometheus, at `/metrics`: as text 0.0.4, or as OpenMetrics for who
 * accepts that.
 */
export class Metrics {
  // One changes the names of counters that it has, so each has metrics of its own.
  readonly #text = new Registry();
  readonly #openMetrics = new Registry<OpenMetricsContentType>();

  readonly #prepare: (() => unknown)[] = [];

  /** Begins with none. */
  constructor() {
    this.#openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  }

  /**
   * Adds figures.
   *
   * @param prepare Looks up what several of them are taken from, before they are asked for.
   * @throws {Error} if there is one of that name.
   */
  add(metrics: Iterable<Metric | TimeHistogram>, prepare?: () => Promise<void> | void): void {
    if (prepare) this.#prepare.push(prepare);
    for (const metric of metrics) {
      for (const registry of [this.#text, this.#openMetrics]) {
        registry.registerMetric(registered(metric) as never);
      }
    }
  }

  /** The route that answers with them. */
  route({ may = () => true }: MetricsOptions = {}): Route {
    return {
      method: "GET",
      path: "/metrics",
      handle: async (request) => {
        if (request.principal && !may(request.principal)) {
          const { name } = request.principal;
          throw new WebError(403, "forbidden", `${name} may not read the figures`);
        }
        const wantsOpen = /application\/openmetrics-text/.test(request.header("accept") ?? "");
        const registry = wantsOpen ? this.#openMetrics : this.#text;
        await Promise.all(this.#prepare.map((prepare) => prepare()));
        const body = await registry.metrics();
        return {
          status: 200,
          headers: { "content-type": registry.contentType, vary: "accept" },
          body,
        };
      },
    };
  }
}

function registered(metric: Metric | TimeHistogram): Registered {
  const { name, help } = metric;
  const type = "type" in metric ? metric.type : "histogram";
  const get = () => ({
    // The registry may have shortened it.
    name: made.name,
    help,
    type,
    values: "type" in metric ? valuesOf(metric) : bucketsOf(metric),
  });
  const made: Registered = { name, help, type, get };
  return made;
}

function valuesOf(metric: Metric): object[] {
  const values = metric.values();
  return typeof values === "number" ? [{ value: values, labels: {} }] : [...values];
}

function bucketsOf(histogram: TimeHistogram): object[] {
  const { name, sumSeconds, count } = histogram;
  const labelled = (le: string, value: number) => ({
    metricName: `${name}_bucket`,
    labels: { le },
    value,
  });
  return [
    ...histogram.buckets().map(({ bound, count }) =>
      labelled(bound === Infinity ? "+Inf" : String(bound), count)
    ),
    { metricName: `${name}_sum`, labels: {}, value: sumSeconds },
    { metricName: `${name}_count`, labels: {}, value: count },
  ];
}
