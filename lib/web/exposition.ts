/**
 * Prometheus' text formats. Written here because `deno compile` dies on `prom-client`: on its
 * dependency `bintrees`, with a stack overflow.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/}
 * @see {@link https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md}
 * @module
 */

/** A value of a metric. */
export interface Sample {
  /** What follows the metric's name: `_total`, `_bucket`. @default {""} */
  readonly suffix?: string;
  /** The labels, with values of any text. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its values. */
export interface Family {
  /** Without `_total`, whichever type it has. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

/** How metrics are written: text 0.0.4, or OpenMetrics 1.0. */
export type ExpositionFormat = "text" | "openmetrics";

/** The content types of the formats. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Writes metrics in a format. */
export function exposition(families: readonly Family[], format: ExpositionFormat): string {
  const isOpen = format === "openmetrics";
  const lines = families.flatMap(({ name, help, type, samples }) => {
    // In text 0.0.4 a counter's name has the suffix of its values.
    const named = type === "counter" && !isOpen ? `${name}_total` : name;
    return [
      `# HELP ${named} ${isOpen ? escaped(help) : help.replace(/[\\\n]/g, escapedSign)}`,
      `# TYPE ${named} ${type}`,
      ...samples.map(({ suffix = "", labels = {}, value }) => {
        const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
        return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${number(value)}`;
      }),
    ];
  });
  return [...lines, ...(isOpen ? ["# EOF"] : []), ""].join("\n");
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, escapedSign);
}

function escapedSign(sign: string): string {
  return sign === "\n" ? "\\n" : `\\${sign}`;
}

/** The bound of a bucket as a label: OpenMetrics wants a decimal point in it, and both are to be alike. */
export function boundLabel(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : number(bound);
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
