/**
 * How long the program takes to say its version, and what it can do; and its servers, until they take
 * a connection, and until they have answered a request.
 *
 * @module
 */
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import type { Benchmark } from "./against/benchmark.ts";
import {
  cpuMs,
  denoArgsIn,
  type Figures,
  freePort,
  median,
  ROOT,
  type ServerProcess,
  startServer,
} from "./support.ts";

const FLAGS = ["--version", "--help"];
/** Commands as programs of their own, by which every version has them, and a request of each. */
const REQUESTS: ReadonlyMap<string, Uint8Array> = new Map([
  ["echo_server", new TextEncoder().encode("hello")],
  ["app_server", encodeFrame(jsonFrame({ action: "search", value: "morpheus" }))],
  ["broker", encodeFrame({ header: { op: "ping", id: 1 } })],
]);
const STARTS = 3;

/** Measures once, and gives milliseconds. */
type MeasureOnce = (root: string) => Promise<number>;

/** What is measured, by the rows' names. */
const ROWS: ReadonlyMap<string, MeasureOnce> = new Map<string, MeasureOnce>([
  ...FLAGS.map((flag): [string, MeasureOnce] => [
    flag,
    (root) => endMs(denoArgsIn(root, "cmd/socktool.ts", flag)),
  ]),
  ...[...REQUESTS].flatMap(([name, request]): [string, MeasureOnce][] => [
    [name, (root) => untilMs(root, name)],
    [`${name}, first answer`, (root) => untilMs(root, name, ({ port }) => answer(port, request))],
  ]),
  // CPU time varies less than the clock's where others use the machine.
  ...(Deno.build.os === "linux" ? [...REQUESTS] : []).map((
    [name, request],
  ): [string, MeasureOnce] => [
    `${name}, first answer, CPU`,
    (root) => answerCpuMs(root, name, request),
  ]),
]);

/** The rows. */
export const startBenchmark: Benchmark = {
  name: "start",
  rows: [...ROWS.keys()].map((name) => ({ name, unit: "ms" })),
  async start({ root }) {
    await fillCache(root);
    return {
      measure: async (name) => ({ value: await medianMs(() => ROWS.get(name)!(root)) }),
      async [Symbol.asyncDispose]() {},
    };
  },
};

/** Measures the rows beside a program that does nothing. */
export async function run(): Promise<Figures> {
  const empty = await Deno.makeTempFile({ prefix: "socktool-bench-", suffix: ".ts" });
  try {
    await fillCache(ROOT);
    const figures: Figures = {
      "a program that does nothing, ms": await medianMs(() => endMs(["run", empty])),
    };
    for (const [name, measure] of ROWS) {
      figures[`${name}, ms`] = await medianMs(() => measure(ROOT));
    }
    return figures;
  } finally {
    await Deno.remove(empty);
  }
}

/** How long a program runs. */
async function endMs(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`deno ${args.join(" ")} failed`);
  return performance.now() - startedAt;
}

/**
 * Starts each server once and lets it end in order: only then its compiled code is in Deno's cache. A
 * server that is measured is killed as soon as it has done what is measured, and would be compiled
 * anew each time.
 */
async function fillCache(root: string): Promise<void> {
  for (const [name, request] of REQUESTS) {
    await using server = await start(root, name);
    await answer(server.port, request);
    await server.end();
  }
}

/** How long a server takes to take a connection, and to do something. */
async function untilMs(
  root: string,
  name: string,
  something?: (server: ServerProcess) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  await using server = await start(root, name);
  await something?.(server);
  return performance.now() - startedAt;
}

/** The CPU time of a server from its start to its first answer. */
async function answerCpuMs(root: string, name: string, request: Uint8Array): Promise<number> {
  await using server = await start(root, name);
  await answer(server.port, request);
  return cpuMs(server.pid);
}

/** Starts a server; it listens. */
function start(root: string, name: string): Promise<ServerProcess> {
  const port = freePort();
  const args = denoArgsIn(root, `cmd/${name}.ts`, `127.0.0.1:${port}`, "-q");
  return startServer(Deno.execPath(), args, port);
}

/** Sends a request, and waits until its answer comes. */
async function answer(port: number, request: Uint8Array): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(request);
  if (await conn.read(new Uint8Array(1_024)) === null) throw new Error("There was no answer");
}

async function medianMs(measureOnce: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) times.push(await measureOnce());
  return median(times);
}
