/**
 * How long the program takes to say its version, and what it can do; and its servers, until they take
 * a connection.
 *
 * @module
 */
import type { Benchmark } from "./against/benchmark.ts";
import { denoArgsIn, type Figures, freePort, median, ROOT, startServer } from "./support.ts";

const FLAGS = ["--version", "--help"];
/** Commands as programs of their own, by which every version has them. */
const SERVERS = ["echo_server", "app_server", "broker"];
const STARTS = 3;

/** The rows. */
export const startBenchmark: Benchmark = {
  name: "start",
  rows: [...FLAGS, ...SERVERS].map((name) => ({ name, unit: "ms" })),
  async start({ root }) {
    await fillCache(root);
    return {
      measure: async (name) => ({ value: await measure(root, name) }),
      async [Symbol.asyncDispose]() {},
    };
  },
};

/** Measures the rows beside a program that does nothing. */
export async function run(): Promise<Figures> {
  const empty = await Deno.makeTempFile({ prefix: "socktool-bench-", suffix: ".ts" });
  try {
    await fillCache(ROOT);
    const figures: Figures = { "a program that does nothing, ms": await startMs(["run", empty]) };
    for (const name of [...FLAGS, ...SERVERS]) figures[`${name}, ms`] = await measure(ROOT, name);
    return figures;
  } finally {
    await Deno.remove(empty);
  }
}

function measure(root: string, name: string): Promise<number> {
  return SERVERS.includes(name)
    ? medianMs(() => listeningMs(root, `cmd/${name}.ts`))
    : startMs(denoArgsIn(root, "cmd/socktool.ts", name));
}

function startMs(args: readonly string[]): Promise<number> {
  return medianMs(async () => {
    const startedAt = performance.now();
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`deno ${args.join(" ")} failed`);
    return performance.now() - startedAt;
  });
}

/**
 * Starts each server once and lets it end in order: only then its compiled code is in Deno's cache. A
 * server that is measured is killed as soon as it listens, and would be compiled anew each time.
 */
async function fillCache(root: string): Promise<void> {
  for (const name of SERVERS) {
    const port = freePort();
    const args = denoArgsIn(root, `cmd/${name}.ts`, `127.0.0.1:${port}`, "-q");
    await using server = await startServer(Deno.execPath(), args, port);
    await server.end();
  }
}

async function listeningMs(root: string, file: string): Promise<number> {
  const port = freePort();
  const args = denoArgsIn(root, file, `127.0.0.1:${port}`, "-q");
  const startedAt = performance.now();
  await using _server = await startServer(Deno.execPath(), args, port);
  return performance.now() - startedAt;
}

async function medianMs(measureOnce: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) times.push(await measureOnce());
  return median(times);
}
