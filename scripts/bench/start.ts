/**
 * How long the program takes to say its version, and what it can do.
 *
 * @module
 */
import type { Benchmark } from "./against/benchmark.ts";
import { denoArgsIn, type Figures, median, ROOT } from "./support.ts";

const FLAGS = ["--version", "--help"];
const STARTS = 3;

/** The rows. */
export const startBenchmark: Benchmark = {
  name: "start",
  rows: FLAGS.map((name) => ({ name, unit: "ms" })),
  start: ({ root }) =>
    Promise.resolve({
      measure: async (flag) => ({
        value: await startMs(denoArgsIn(root, "cmd/socktool.ts", flag)),
      }),
      async [Symbol.asyncDispose]() {},
    }),
};

/** Measures the rows beside a program that does nothing. */
export async function run(): Promise<Figures> {
  const empty = await Deno.makeTempFile({ prefix: "socktool-bench-", suffix: ".ts" });
  try {
    const figures: Figures = { "a program that does nothing, ms": await startMs(["run", empty]) };
    for (const flag of FLAGS) {
      figures[`${flag}, ms`] = await startMs(denoArgsIn(ROOT, "cmd/socktool.ts", flag));
    }
    return figures;
  } finally {
    await Deno.remove(empty);
  }
}

async function startMs(args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const startedAt = performance.now();
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`deno ${args.join(" ")} failed`);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
