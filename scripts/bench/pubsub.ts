/**
 * The broker against nats-server and redis-server, where they are installed, and the client against
 * nats.js and ioredis: `deno task bench pubsub`. All in one run, in turn; the figures are medians.
 *
 * @module
 */
import { encodeFrame } from "../../lib/frame/mod.ts";
import { answersBesideFlood } from "./beside_flood.ts";
import { clientFigures } from "./pubsub_clients.ts";
import { fanOutFigures, stoppedFigures } from "./pubsub_fan_out.ts";
import {
  buildC,
  denoArgs,
  type Figures,
  freePort,
  isInstalled,
  median,
  runJson,
  say,
  type ServerProcess,
  startServer,
} from "./support.ts";

const ROUNDS = 3;

type Load = readonly [payload: number, topics: number, subscribers: number, count: number];

/** Payload in bytes, topics, subscribers, and messages published for about a second. */
export const LOADS: readonly Load[] = [
  [16, 1, 1, 1_500_000],
  [16, 1, 10, 500_000],
  [128, 1, 1, 1_000_000],
  [128, 1, 10, 300_000],
  [1_024, 1, 1, 400_000],
  [1_024, 1, 10, 300_000],
  [16, 1_000, 1, 1_000_000],
  [16, 1_000, 10, 400_000],
  [1_024, 1_000, 1, 300_000],
  [1_024, 1_000, 10, 200_000],
];

/** Delivered messages per second, ratios, and what becomes of slow and of many subscribers. */
export async function run(): Promise<Figures> {
  const program = await buildC("pubsub_load");
  const broker = () => start(Deno.execPath(), (port) => brokerArgs(port));
  const starts: Record<string, () => Promise<ServerProcess>> = {
    socktool: broker,
    nats: () => start("nats-server", (port) => ["-a", "127.0.0.1", "-p", String(port)]),
    redis: () =>
      start("redis-server", (port) => [
        ...["--port", String(port), "--bind", "127.0.0.1"],
        ...["--save", "", "--appendonly", "no"],
      ]),
  };
  const figures: Figures = {};
  await using servers = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  for (const [name, begin] of Object.entries(starts)) {
    const needed = name === "socktool" ? undefined : `${name}-server`;
    if (needed !== undefined && !isInstalled(needed)) {
      say(`skipped, because ${needed} is not installed: ratios to ${name}`);
    } else ports.set(name, servers.use(await begin()).port);
  }
  for (const load of LOADS) {
    const [payload, topics, subscribers, count] = load;
    const rates = new Map<string, number[]>([...ports.keys()].map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, port] of ports) {
        const args = [name, port, 1, subscribers, payload, count, topics];
        const { delivered_per_s, delivered_percent } = await runJson(program, args);
        if (delivered_percent !== 100) throw new Error(`${name} delivered ${delivered_percent} %`);
        rates.get(name)!.push(delivered_per_s!);
      }
    }
    const label = loadTitle(load);
    const ours = rates.get("socktool")!;
    figures[`${label}: socktool delivered/s`] = median(ours);
    for (const name of ["nats", "redis"]) {
      const theirs = rates.get(name);
      if (!theirs) continue;
      figures[`${label}: ratio to ${name}`] = median(ours.map((rate, i) => rate / theirs[i]!));
    }
  }
  const confirmed = await answersBesideFlood(
    ports.get("socktool")!,
    encodeFrame({ header: { op: "pub", topic: "other", id: 1 } }),
    () => runJson(program, ["socktool", ports.get("socktool")!, 1, 10, 1_024, 800_000]),
  );
  figures["beside a flood of 1 KiB to 10: a confirmation p50 ms"] = confirmed.p50;
  figures["beside a flood of 1 KiB to 10: a confirmation p99 ms"] = confirmed.p99;
  return {
    ...figures,
    ...await stoppedFigures(broker, program),
    ...await fanOutFigures(broker, 10_000, 1_024),
    ...await clientFigures(),
  };
}

/** What a row is called. */
export function loadTitle([payload, topics, subscribers]: Load): string {
  return `${payload} B, ${topics === 1 ? "1 topic" : `${topics} topics`}, to ${subscribers}`;
}

function brokerArgs(port: number): string[] {
  return denoArgs("scripts/bench/pubsub_broker.ts", String(port));
}

function start(command: string, args: (port: number) => string[]): Promise<ServerProcess> {
  const port = freePort();
  return startServer(command, args(port), port);
}
