/**
 * The live page: what a server tells of itself, asked for each second. All that is shown of the past
 * is in the page; the server keeps nothing for who looks.
 *
 * @module
 */
import { byId, make } from "../common/dom.ts";
import { ApiError, getJson } from "../common/session.ts";
import { span } from "../common/units.ts";
import { Chart } from "./chart.ts";
import { showFaults, startFaults } from "./faults.ts";
import { History } from "./history.ts";
import { startPublishing } from "./publish.ts";
import { CHARTS, TILES } from "./series.ts";
import type { Stats } from "./stats.ts";
import { showTables } from "./tables.ts";
import { startTap } from "./tap.ts";

const POLL_MS = 1_000;

/** What is on the page for one kind of server. */
class View {
  readonly #history: History;
  readonly #charts: readonly Chart[];
  readonly #tiles: readonly HTMLElement[];
  readonly #role: Stats["role"];

  constructor(role: Stats["role"]) {
    this.#role = role;
    const charts = CHARTS[role];
    this.#history = new History([...TILES[role], ...charts.flatMap(({ figures }) => figures)]);
    this.#charts = charts.map((init) => new Chart(init, this.#history));
    this.#tiles = TILES[role].map(() => make("dd"));
    byId("charts").replaceChildren(...this.#charts.map(({ element }) => element));
    byId("tiles").replaceChildren(
      ...TILES[role].map(({ name }, i) => make("div", {}, make("dt", {}, name), this.#tiles[i])),
    );
  }

  show(at: number, stats: Stats | undefined, answerMs: number): void {
    this.#history.add(at, stats, answerMs);
    for (const chart of this.#charts) chart.update();
    if (stats === undefined) return;
    for (const [i, figure] of TILES[this.#role].entries()) {
      const value = this.#history.of(figure).at(-1);
      const tile = this.#tiles[i]!;
      tile.textContent = value === null || value === undefined ? "–" : figure.format(value);
      tile.parentElement!.classList.toggle("warn", figure.warns === true && (value ?? 0) > 0);
    }
    showTables(stats);
    if (stats.role === "proxy") showFaults(stats.faults);
  }
}

let view: View | undefined;

async function look(): Promise<void> {
  const begin = performance.now();
  let stats: Stats | undefined;
  let problem: string | undefined;
  try {
    stats = await getJson<Stats>("/api/stats");
  } catch (error) {
    problem = error instanceof ApiError ? error.message : "The server does not answer";
  }
  const answerMs = performance.now() - begin;
  if (stats !== undefined && view === undefined) begun(stats);
  view?.show(Date.now(), stats, answerMs);
  document.body.classList.toggle("gone", stats === undefined);
  const state = byId("state");
  state.className = stats === undefined ? "bad" : "good";
  // Said once to who listens: the time that it is up is no news.
  const text = stats === undefined ? `${problem}. Trying again…` : "Up";
  if (state.dataset["said"] !== text) state.textContent = state.dataset["said"] = text;
  if (stats !== undefined) byId("title").textContent = titleOf(stats);
}

function titleOf(stats: Stats): string {
  const { role, version, uptimeMs } = stats;
  const up = `socktool ${role} ${version}, up for ${span(uptimeMs)}`;
  if (role !== "proxy") return up;
  const { address, upstream, seed } = stats.proxy;
  return `${up}: ${address} to ${upstream}, seed ${seed}`;
}

function begun({ role }: Stats): void {
  view = new View(role);
  document.title = `${role} – live figures`;
  byId("home").hidden = role !== "app-server";
  byId("hands").hidden = role !== "broker";
  byId("faults").hidden = role !== "proxy";
  if (role === "proxy") startFaults();
  if (role !== "broker") return;
  startTap();
  startPublishing();
}

async function run(): Promise<void> {
  while (true) {
    const begin = performance.now();
    if (document.visibilityState === "visible") await look();
    const rest = POLL_MS - (performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, Math.max(100, rest)));
  }
}

void run();
