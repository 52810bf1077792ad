import { checkOptions } from "../base/option_kinds.ts";
import type { Principal } from "../access/mod.ts";
import {
  boundLabel,
  CONTENT_TYPES,
  exposition,
  type ExpositionFormat,
  type Family,
} from "./exposition.ts";
import type { TimeHistogram } from "./histogram.ts";
import { qualityOf } from "./quality.ts";
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

/**
 * The figures of a server for Prometheus, at `/metrics`: as text 0.0.4, or as OpenMetrics for who
 * accepts that.
 */
export class Metrics {
  readonly #metrics = new Map<string, Metric | TimeHistogram>();
  readonly #prepare: (() => unknown)[] = [];

  /**
   * Adds figures.
   *
   * @param prepare Looks up what several of them are taken from, before they are asked for.
   * @throws {Error} if there is one of that name.
   */
  add(metrics: Iterable<Metric | TimeHistogram>, prepare?: () => Promise<void> | void): void {
    if (prepare) this.#prepare.push(prepare);
    for (const metric of metrics) {
      if (this.#metrics.has(metric.name)) {
        throw new Error(`There is a metric ${metric.name} already`);
      }
      this.#metrics.set(metric.name, metric);
    }
  }

  /** The route that answers with them. */
  route(options: MetricsOptions = {}): Route {
    checkOptions(options, { may: "function" });
    const { may = () => true } = options;
    return {
      method: "GET",
      path: "/metrics",
      handle: async (request) => {
        if (request.principal && !may(request.principal)) {
          const { name } = request.principal;
          throw new WebError(403, "forbidden", `${name} may not read the figures`);
        }
        const format = formatFor(request.header("accept"));
        await Promise.all(this.#prepare.map((prepare) => prepare()));
        return {
          status: 200,
          headers: { "content-type": CONTENT_TYPES[format], vary: "accept" },
          body: exposition([...this.#metrics.values()].map(familyOf), format),
        };
      },
    };
  }
}

/** OpenMetrics for who names it and wants it no less than text; who takes neither gets text. */
function formatFor(accepted: string | undefined): ExpositionFormat {
  const open = qualityOf(accepted, ["application/openmetrics-text"], "1.0.0") ?? 0;
  const text = qualityOf(accepted, ["text/plain", "text/*", "*/*"], "0.0.4") ?? 0;
  return open > 0 && open >= text ? "openmetrics" : "text";
}

function familyOf(metric: Metric | TimeHistogram): Family {
  const { name, help } = metric;
  if (!("type" in metric)) return { name, help, type: "histogram", samples: bucketsOf(metric) };
  const values = metric.values();
  const suffix = metric.type === "counter" ? "_total" : "";
  const samples = (typeof values === "number" ? [{ value: values }] : values)
    .map((sample) => ({ ...sample, suffix }));
  return { name: name.replace(/_total$/, ""), help, type: metric.type, samples };
}

function bucketsOf(histogram: TimeHistogram): Family["samples"] {
  return [
    ...histogram.buckets().map(({ bound, count }) => ({
      suffix: "_bucket",
      labels: { le: boundLabel(bound) },
      value: count,
    })),
    { suffix: "_sum", value: histogram.sumSeconds },
    { suffix: "_count", value: histogram.count },
  ];
}
