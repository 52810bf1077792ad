/*! Contains uPlot, copyright Leon Sorokin, MIT License: https://github.com/leeoniya/uPlot */
import uPlot from "uplot";
import { make } from "../common/dom.ts";
import { bytes } from "../common/units.ts";
import type { History } from "./history.ts";
import { POINTS } from "./history.ts";
import type { ChartInit } from "./series.ts";

const HEIGHT = 150;

/** What the axis of time shows at least, in seconds. */
const LEAST_SPAN = 60;

/** Steps of an axis of bytes. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, i) => 2 ** i);

const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const timeWithSeconds = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** The last minutes of one or two figures as lines, with their values in words above. */
export class Chart {
  readonly element: HTMLElement;
  readonly #init: ChartInit;
  readonly #history: History;
  readonly #values: readonly HTMLElement[];
  readonly #place = make("div", { class: "chart", role: "img" });
  #plot: uPlot | undefined;
  #shown: number | null | undefined;

  constructor(init: ChartInit, history: History) {
    this.#init = init;
    this.#history = history;
    this.#values = init.figures.map(() => make("span"));
    this.element = make(
      "figure",
      {},
      make("figcaption", {}, make("strong", {}, init.title), ...this.#values),
      this.#place,
    );
    new ResizeObserver(() => this.#resize()).observe(this.#place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
  }

  /** Shows what the history has. */
  update(): void {
    if (this.#plot === undefined) this.#rebuild();
    else this.#plot.setData(this.#data());
    this.#say();
  }

  #data(): uPlot.AlignedData {
    return [this.#history.times, ...this.#init.figures.map((figure) => this.#history.of(figure))];
  }

  #resize(): void {
    const width = this.#place.clientWidth;
    if (this.#plot && width > 0 && width !== this.#plot.width) {
      this.#plot.setSize({ width, height: HEIGHT });
    }
  }

  #rebuild(): void {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const [{ format }] = this.#init.figures as [ChartInit["figures"][number]];
    const axis = {
      stroke: color("--dim"),
      grid: { stroke: color("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    this.#plot = new uPlot(
      {
        width: Math.max(1, this.#place.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false }, points: { size: 6 } },
        scales: {
          x: {
            range: (_, min, max) => [max - Math.min(Math.max(max - min, LEAST_SPAN), POINTS), max],
          },
          y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] },
        },
        axes: [
          { ...axis, size: 28, space: 80, values: (_, ticks) => ticks.map(clock) },
          {
            ...axis,
            size: 64,
            values: (_, ticks) => ticks.map(format),
            ...format === bytes && { incrs: BYTE_STEPS },
          },
        ],
        series: [
          {},
          ...this.#init.figures.map(({ name }, i) => ({
            label: name,
            stroke: color(`--chart-${i + 1}`),
            width: 1.5,
            points: { show: false },
          })),
        ],
        hooks: {
          setCursor: [(plot) => {
            this.#shown = plot.cursor.idx;
            this.#say();
          }],
        },
      },
      this.#data(),
      this.#place,
    );
  }

  /** Writes the values at the pointer, or the last ones. */
  #say(): void {
    const at = this.#shown ?? this.#history.times.length - 1;
    const said = this.#init.figures.map((figure, i) => {
      const value = this.#history.of(figure)[at];
      const name = figure.name.replace(" / s", "");
      const text = `${name} ${value === null || value === undefined ? "–" : figure.format(value)}`;
      this.#values[i]!.textContent = text;
      return text;
    });
    this.#place.setAttribute("aria-label", `${this.#init.title}: ${said.join(", ")}`);
  }
}

function clock(seconds: number): string {
  return (seconds % 60 === 0 ? time : timeWithSeconds).format(seconds * 1_000);
}
