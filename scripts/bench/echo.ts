/**
 * The echo server against the C reference server and what else people use, and the load client
 * against the C generator.
 *
 * @module
 */
import { answersBesideFlood } from "./beside_flood.ts";
import { type RunningEcho, startEchoServers } from "./echo_servers.ts";
import {
  buildC,
  denoArgs,
  type Figures,
  freePort,
  median,
  runJson,
  startServer,
} from "./support.ts";

/** Connections, bytes of a message, messages at once. */
export const ECHO_ROWS = [[50, 64, 1], [50, 64, 16], [4, 65_536, 1]] as const;

type Row = typeof ECHO_ROWS[number];

const SECONDS = 0.8;
const ROUNDS = 5;

/** Rounds in which the servers take part that ours is only to be faster than. */
const ROUNDS_OF_OTHERS = 3;
const MANY_CONNECTIONS = 10_000;

/** Measures; ratios are medians of those of one round, in which all take turns. */
export async function run(): Promise<Figures> {
  const load = await buildC("echo_load");
  const figures: Figures = {};
  const servers = await startEchoServers();
  try {
    for (const row of ECHO_ROWS) await measureServers(servers, load, row, figures);
    for (const row of ECHO_ROWS) await measureClient(servers[0]!.port, load, row, figures);
    await measureSchedule(servers[0]!.port, figures);
    for (const server of servers.slice(0, 2)) await measureBesideFlood(server, load, figures);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
  if (Deno.build.os === "linux") await measureMemory(figures);
  return figures;
}

async function measureServers(
  servers: readonly RunningEcho[],
  load: string,
  row: Row,
  figures: Figures,
): Promise<void> {
  const [connections, size, depth] = row;
  const rates = new Map(servers.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, port } of round < ROUNDS_OF_OTHERS ? servers : servers.slice(0, 2)) {
      const result = await runJson(load, [port, connections, size, depth, SECONDS]);
      rates.get(name)!.push(result["messages_per_s"]!);
    }
  }
  const reference = rates.get("echo_ref")!;
  for (const [name, measured] of rates) {
    figures[`${rowTitle(row)}: ${name}, messages/s`] = median(measured);
    if (name === "echo_ref") continue;
    figures[`${rowTitle(row)}: ${name}, ratio to echo_ref`] = median(
      measured.map((rate, round) => rate / reference[round]!),
    );
  }
}

async function measureClient(
  port: number,
  load: string,
  row: Row,
  figures: Figures,
): Promise<void> {
  const [connections, size, depth] = row;
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const reference = await runJson(load, [port, connections, size, depth, SECONDS]);
    const ours = await runClient(port, connections, [
      ...["--size", size, "--pipeline", depth],
      ...["--duration", `${SECONDS}s`, "--warmup", "400ms"],
    ]);
    ratios.push((ours["messages_per_s"] as number) / reference["messages_per_s"]!);
  }
  figures[`${rowTitle(row)}: multiconn-client, ratio to echo_load`] = median(ratios);
}

/** How late messages of an open loop are sent. */
async function measureSchedule(port: number, figures: Figures): Promise<void> {
  const flags = ["--size", 64, "--rate", "20k", "--duration", "2s", "--warmup", "300ms"];
  const { send_lateness_us } = await runClient(port, 50, flags);
  const late = send_lateness_us as Record<string, number>;
  figures["open loop, 20,000/s: 99 % are sent within, µs"] = late["p99"]!;
}

/** How long others wait for an echo while four connections send as much as the server takes. */
async function measureBesideFlood(
  { name, port }: RunningEcho,
  load: string,
  figures: Figures,
): Promise<void> {
  const times = await answersBesideFlood(
    port,
    new TextEncoder().encode("still there?"),
    () => runJson(load, [port, 4, 1_048_576, 1, 3]),
  );
  figures[`beside a flood of 4 × 1 MiB: ${name}, echo p50 ms`] = times.p50;
  figures[`beside a flood of 4 × 1 MiB: ${name}, echo p99 ms`] = times.p99;
}

/** What many connections cost the server, each of them answered. */
async function measureMemory(figures: Figures): Promise<void> {
  const port = freePort();
  const command = denoArgs("cmd/multiconn_server.ts", `:${port}`, "-q");
  await using server = await startServer(Deno.execPath(), command, port);
  const { errors, messages } = await runClient(port, MANY_CONNECTIONS, ["--count", 2]);
  const status = await Deno.readTextFile(`/proc/${server.pid}/status`);
  const name = `${MANY_CONNECTIONS} connections`;
  figures[`${name}: answered`] = (messages as number) / 2;
  figures[`${name}: errors`] = errors as number;
  figures[`${name}: most memory, MB`] = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_000;
}

async function runClient(
  port: number,
  connections: number,
  flags: readonly (string | number)[],
): Promise<Record<string, unknown>> {
  const args = denoArgs("cmd/multiconn_client.ts", `:${port}`, String(connections), "--json");
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...flags.map(String)],
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  return JSON.parse(lines.at(-1)!);
}

/** What a row is called. */
export function rowTitle([connections, size, depth]: Row): string {
  const bytes = size < 1_024 ? `${size} B` : `${size / 1_024} KiB`;
  return `${connections} × ${bytes}, ${depth} at once`;
}
