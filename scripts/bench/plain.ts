/** The figures of this checkout, beside those of what else people use. */
import type { Benchmark } from "./against/benchmark.ts";
import { BENCHMARKS } from "./against/benchmarks.ts";
import { currentVersion } from "./against/version.ts";
import { printFigures } from "./print.ts";
import { type Figures, median } from "./support.ts";

/** Measures all rows, or those whose names begin with one of some texts. */
type Run = (rows?: readonly string[]) => Promise<Figures>;

/** Benchmarks of which single rows can be measured. */
export const WITH_ROWS: ReadonlySet<string> = new Set(["streams"]);

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

/** The benchmark that a name is about, and the beginning of its rows' names: `streams/replay`. */
export function partsOf(name: string): { benchmark: string; row: string | undefined } {
  const [benchmark, ...row] = name.split("/");
  return { benchmark: benchmark!, row: row.length > 0 ? row.join("/") : undefined };
}

/**
 * Runs benchmarks, prints their figures and keeps them as JSON under `.bench/`.
 *
 * @param names Names of benchmarks, or of rows of those that can measure single ones.
 */
export async function runPlain(names: readonly string[]): Promise<void> {
  const results: Record<string, unknown> = {
    date: new Date().toISOString(),
    deno: Deno.version.deno,
    cores: navigator.hardwareConcurrency,
  };
  const rowsOf = Map.groupBy(names.map(partsOf), ({ benchmark }) => benchmark);
  for (const [name, parts] of rowsOf) {
    const rows = parts.flatMap(({ row }) => row ?? []);
    const isAll = rows.length < parts.length;
    const figures = await (await PLAIN_BENCHMARKS[name]!()).run(isAll ? undefined : rows);
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
