import type { Latencies } from "../../base/latencies.ts";
import type { LoadInterval } from "../load_result.ts";
import { type Line, renderLineChart } from "./line_chart.ts";
import { countText, timeText } from "./markup.ts";
import { extentOf, linearScale, logScale, tightScale } from "./scale.ts";

/** Points of the percentile line per decade of 1 / (1 − percentile). */
const POINTS_PER_DECADE = 20;

/** Latency by percentile, both axes logarithmic: the tail has as much room as the rest. */
export function percentileChart(latency: Latencies): string {
  const count = latency.count;
  // `count` messages say nothing about percentiles beyond 1 − 1 / count.
  const decades = Math.max(1, Math.ceil(Math.log10(count)));
  const points: [number, number][] = [];
  for (let i = 0; i <= decades * POINTS_PER_DECADE; i++) {
    const x = i / POINTS_PER_DECADE;
    points.push([x, Math.max(1, latency.percentile(100 * (1 - 10 ** -x)))]);
  }
  const values = points.map(([, us]) => us);
  const [p50, p99, max] = [50, 99, 100].map((percent) => timeText(latency.percentile(percent)));
  return renderLineChart({
    title: "Latency by percentile",
    description: `Latency by percentile: the median is ${p50}, 99 % are within ` +
      `${p99}, the largest is ${max}.`,
    x: {
      name: "percent of the messages, logarithmic towards 100",
      scale: {
        at: (value) => value / decades,
        ticks: Array.from({ length: decades + 1 }, (_, i) => i),
      },
      label: (nines) => percentText(nines, decades),
    },
    y: {
      name: "latency",
      scale: logScale(...extentOf(values)),
      label: timeText,
    },
    lines: [{ name: "latency", look: 1, points }],
  });
}

/** Median, 99th percentile and maximum of the latency in each second; a gap where nothing came. */
export function latencyChart(intervals: readonly LoadInterval[]): string {
  const line = (name: string, look: Line["look"], figure: "p50" | "p99" | "max"): Line => ({
    name,
    look,
    points: intervals.map((each) => {
      const us = each.latency_us[figure];
      return [each.elapsed_s, us === null ? null : Math.max(1, us)];
    }),
  });
  const lines = [
    line("median", 1, "p50"),
    line("99th percentile", 2, "p99"),
    line("maximum", 3, "max"),
  ];
  const values = lines.flatMap(valuesOf);
  return renderLineChart({
    title: "Latency over time",
    description: `The median, the 99th percentile and the maximum of the latency in each second: ` +
      `the median lies between ${extentText(lines[0]!)}, the maximum between ${
        extentText(lines[2]!)
      }.`,
    x: timeAxis(intervals),
    y: {
      name: "latency",
      scale: logScale(...extentOf(values)),
      label: timeText,
    },
    lines,
  });
}

/** The rate of messages in each second. */
export function rateChart(intervals: readonly LoadInterval[]): string {
  const rates = intervals.map((each) => each.messages_per_s);
  const [min, max] = extentOf(rates);
  return renderLineChart({
    title: "Messages per second over time",
    description: `Messages per second in each second: between ${countText(min)} ` +
      `and ${countText(max)}.`,
    x: timeAxis(intervals),
    y: { name: "messages per second", scale: linearScale(max), label: countText },
    lines: [{
      name: "messages per second",
      look: 1,
      points: intervals.map((each) => [each.elapsed_s, each.messages_per_s]),
    }],
  });
}

function timeAxis(intervals: readonly LoadInterval[]) {
  const end = intervals.at(-1)?.elapsed_s ?? 1;
  return {
    name: "seconds",
    scale: tightScale(end),
    label: (seconds: number) => String(Number(seconds.toPrecision(4))),
  };
}

function valuesOf({ points }: Line): number[] {
  return points.map(([, value]) => value).filter((value) => value !== null);
}

function extentText(line: Line): string {
  return extentOf(valuesOf(line)).map(timeText).join(" and ");
}

/** With more decades than this, only every other one is labelled. */
const CROWDED_DECADES = 5;

/** 0 is `0`, 1 is `90`, 2 is `99`, 3 is `99.9`. */
function percentText(nines: number, decades: number): string {
  if (decades > CROWDED_DECADES && nines > 1 && (decades - nines) % 2 === 1) return "";
  if (nines < 3) return ["0", "90", "99"][nines]!;
  return `99.${"9".repeat(nines - 2)}`;
}
