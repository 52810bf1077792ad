import { escaped } from "./markup.ts";
import type { Scale } from "./scale.ts";

/** A line of a chart. */
export interface Line {
  readonly name: string;
  /** Which of the page's line colours and dashes it has, from 1. */
  readonly look: 1 | 2 | 3;
  /** In the order of x. Where there is no value, the line has a gap. */
  readonly points: readonly (readonly [x: number, y: number | null])[];
}

/** What a chart shows. */
export interface LineChart {
  readonly title: string;
  /** The chart in words, for those who do not see it. */
  readonly description: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly Line[];
}

/** One of a chart's axes. */
export interface Axis {
  readonly scale: Scale;
  readonly name: string;
  label(value: number): string;
}

/** The drawing's size in its own units; the page scales it. */
const WIDTH = 480;
const HEIGHT = 284;
const LEFT = 66;
const RIGHT = 464;
const TOP = 14;
const BOTTOM = 236;

/** A figure with its caption, its legend where there are several lines, and the drawing as SVG. */
export function renderLineChart(chart: LineChart): string {
  const { title, description, x, y, lines } = chart;
  const legend = lines.length < 2
    ? ""
    : `<ul class="legend">${
      lines.map(({ name, look }) =>
        `<li><svg viewBox="0 0 28 8" aria-hidden="true"><path class="line look${look}" ` +
        `d="M0 4H28"/></svg>${escaped(name)}</li>`
      ).join("")
    }</ul>`;
  return `<figure>
<figcaption>${escaped(title)}</figcaption>
${legend}
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(description)}">
${y.scale.ticks.map((tick) => horizontalMark(y, tick)).join("\n")}
${x.scale.ticks.map((tick) => verticalMark(x, tick)).join("\n")}
<text class="axis" x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${
    escaped(x.name)
  }</text>
${lines.map((line) => path(line, x.scale, y.scale)).join("\n")}
</svg>
</figure>`;
}

function horizontalMark({ scale, label }: Axis, tick: number): string {
  const at = yAt(scale, tick);
  return `<path class="grid" d="M${LEFT} ${at}H${RIGHT}"/>` +
    `<text x="${LEFT - 7}" y="${at + 4}" text-anchor="end">${escaped(label(tick))}</text>`;
}

function verticalMark({ scale, label }: Axis, tick: number): string {
  const at = xAt(scale, tick);
  const text = label(tick);
  // A long label in the middle below the last mark would be cut off at the edge.
  const [x, anchor] = at === RIGHT && text.length > 4 ? [WIDTH - 2, "end"] : [at, "middle"];
  return `<path class="grid" d="M${at} ${TOP}V${BOTTOM}"/>` +
    `<text x="${x}" y="${BOTTOM + 19}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function path({ look, points }: Line, x: Scale, y: Scale): string {
  const dots: string[] = [];
  let d = "";
  for (const [i, [at, value]] of points.entries()) {
    if (value === null) continue;
    const [px, py] = [xAt(x, at), yAt(y, value)];
    const begins = (points[i - 1]?.[1] ?? null) === null;
    const ends = (points[i + 1]?.[1] ?? null) === null;
    // A value between two gaps has no line to be seen by.
    if (begins && ends) {
      dots.push(`<circle class="point look${look}" cx="${px}" cy="${py}" r="4"/>`);
    } else d += `${begins ? "M" : "L"}${px} ${py}`;
  }
  return (d === "" ? "" : `<path class="line look${look}" d="${d}"/>`) + dots.join("");
}

function xAt(scale: Scale, value: number): number {
  return Math.round((LEFT + scale.at(value) * (RIGHT - LEFT)) * 10) / 10;
}

function yAt(scale: Scale, value: number): number {
  return Math.round((BOTTOM - scale.at(value) * (BOTTOM - TOP)) * 10) / 10;
}
