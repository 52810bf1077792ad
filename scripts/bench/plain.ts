/** The figures of this checkout, beside those of what else people use. */
import type { Benchmark } from "./against/benchmark.ts";
import { BENCHMARKS } from "./against/benchmarks.ts";
import { currentVersion } from "./against/version.ts";
import { printFigures } from "./print.ts";
import { type Figures, median } from "./support.ts";

type Run = () => Promise<Figures>;

const ROUNDS = 3;

/** How each benchmark is run. */
export const PLAIN_BENCHMARKS: Readonly<Record<string, () => Promise<{ run: Run }>>> = {
  start: () => import("./start.ts"),
  frame: () => import("./frame.ts"),
  stream: () => import("./stream.ts"),
  app_server: () => import("./app_server.ts"),
  search: () => import("./search.ts"),
  echo: () => import("./echo.ts"),
  pubsub: () => import("./pubsub.ts"),
  streams: () => import("./streams.ts"),
  proxy: () => import("./proxy.ts"),
  web: () => import("./web.ts"),
  nats: () => import("./nats.ts"),
  requests: () => Promise.resolve({ run: () => runRows("requests") }),
  clients: async () => ({ run: (await import("./pubsub_clients.ts")).clientFigures }),
  client: () => Promise.resolve({ run: () => runRows("client") }),
};

/** Runs benchmarks, prints their figures and keeps them as JSON under `.bench/`. */
export async function runPlain(names: readonly string[]): Promise<void> {
  const results: Record<string, unknown> = {
    date: new Date().toISOString(),
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
  };
  for (const name of names) {
    const figures = await (await PLAIN_BENCHMARKS[name]!()).run();
    printFigures(name, figures);
    results[name] = figures;
  }
  const folder = new URL("../../.bench/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  const file = new URL(`${new Date().toISOString().replace(/[:.]/g, "-")}.json`, folder);
  await Deno.writeTextFile(file, JSON.stringify(results, null, 2) + "\n");
}

/** Measures the rows that two versions are compared by, on this one. */
async function runRows(name: string): Promise<Figures> {
  const benchmark: Benchmark = BENCHMARKS.find((each) => each.name === name)!;
  const version = await currentVersion();
  const values = new Map(benchmark.rows.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    await using subject = await benchmark.start(version);
    for (const [row, measured] of values) measured.push((await subject.measure(row)).value);
  }
  return Object.fromEntries(
    benchmark.rows.map(({ name, unit }) => [`${name}, ${unit}`, median(values.get(name)!)]),
  );
}
