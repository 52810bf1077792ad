/** Servers of ours, each measured by one and the same program. */
import { denoArgsIn, freePort, type ServerProcess, startServer } from "../support.ts";
import type { Benchmark, Row, Subject, Unit } from "./benchmark.ts";
import type { Version } from "./version.ts";

/** How a server is started and measured. */
export interface ServerBenchmark<Config> {
  readonly name: string;
  readonly unit: Unit;
  /** What is different in each row, by its name. */
  readonly rows: ReadonlyMap<string, Config>;
  readonly needs?: readonly string[];
  start(version: Version): Promise<ServerProcess>;
  /** Measures a row, or puts it under load for a while before that. */
  measure(server: ServerProcess, config: Config, seconds: number): Promise<number>;
}

/**
 * How long a server is under a row's load before that row is measured, and while it is. V8 compiles
 * functions, and takes that back, until it has seen all that goes through them: of a broker up to some
 * 375,000 messages, which take 1.25 s. After 0.25 s a version whose functions are compiled later counts
 * as the slower one: a row came out as 0.91 that is 1.0 from then on.
 */
const WARM_UP_S = 1.25;
const SECONDS = 0.15;

/** Makes a benchmark of a server. */
export function serverBenchmark<Config>(definition: ServerBenchmark<Config>): Benchmark {
  const { name, unit, rows, needs = [], start, measure } = definition;
  return {
    name,
    rows: [...rows.keys()].map((name): Row => ({ name, unit })),
    needs,
    async start(version): Promise<Subject> {
      const server = await start(version);
      const warm = new Set<string>();
      return {
        async measure(row) {
          const config = rows.get(row)!;
          if (!warm.has(row)) await measure(server, config, WARM_UP_S);
          warm.add(row);
          return { value: await measure(server, config, SECONDS) };
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}

/** Starts a command of a version on a free port of the loopback interface. */
export function startCommand(
  version: Version,
  file: string,
  ...flags: string[]
): Promise<ServerProcess> {
  const port = freePort();
  const args = denoArgsIn(version.root, file, `127.0.0.1:${port}`, ...flags);
  return startServer(Deno.execPath(), args, port);
}
