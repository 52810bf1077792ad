/**
 * Streams of the broker against JetStream of nats-server and streams of redis-server, each through
 * its own client: `deno task bench streams`. Each client runs in a process of its own, and they are
 * measured in turn.
 *
 * @module
 */
import { LibraryProcess } from "./against/library.ts";
import { besideFigures } from "./streams/beside.ts";
import { startBroker, startNats, startRedis, type StreamServers } from "./streams/servers.ts";
import { type Figures, isInstalled, median, ROOT, say } from "./support.ts";

const ROUNDS = 5;

const RIVALS = {
  jetstream: { needs: "nats-server", start: startNats },
  redis: { needs: "redis-server", start: startRedis },
} as const;

/** The name of all that `besideFigures` measures. */
const BESIDE = "beside a stream";

/**
 * Rates, and ratios to the others: above 1, ours is better.
 *
 * @param only Only rows whose names begin with one of these; `beside a stream` is what others feel.
 * @throws {Error} if there are none.
 */
export async function run(only?: readonly string[]): Promise<Figures> {
  const isBeside = only?.some((each) => BESIDE.startsWith(each)) ?? true;
  if (only?.every((each) => BESIDE.startsWith(each))) return await besideFigures();
  await using stack = new AsyncDisposableStack();
  const processes = new Map<string, LibraryProcess>();
  const start = async (name: string, begin: () => Promise<StreamServers>) => {
    const { args } = stack.use(await begin());
    const folder = `${ROOT}/scripts/bench`;
    processes.set(
      name,
      stack.use(await LibraryProcess.start(ROOT, folder, `streams/${name}`, args)),
    );
  };
  await start("socktool", startBroker);
  for (const [name, { needs, start: begin }] of Object.entries(RIVALS)) {
    if (isInstalled(needs)) await start(name, begin);
    else say(`skipped, because ${needs} is not installed: ratios to ${name}`);
  }
  const figures: Figures = {};
  const all = processes.get("socktool")!.rows;
  const rows = all.filter((row) => only?.some((each) => row.startsWith(each)) ?? true);
  if (rows.length === 0) {
    throw new Error(`There is no such row; there are\n${[...all, BESIDE].join("\n")}`);
  }
  for (const row of rows) {
    const rates = new Map([...processes.keys()].map((name) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, library] of processes) rates.get(name)!.push(await library.measure(row));
    }
    const ours = rates.get("socktool")!;
    figures[`${row}, messages/s`] = median(ours);
    for (const name of Object.keys(RIVALS)) {
      const theirs = rates.get(name);
      if (theirs === undefined) continue;
      figures[`${row}: ratio to ${name}`] = median(ours.map((rate, i) => rate / theirs[i]!));
    }
  }
  return isBeside ? { ...figures, ...await besideFigures() } : figures;
}
