/**
 * The client against nats.js on nats-server and ioredis on redis-server: `deno task bench clients`.
 * Each runs in a process of its own, beside a server of its own, and they are measured in turn.
 *
 * @module
 */
import { LibraryProcess } from "./against/library.ts";
import { CLIENT_ROWS, startClientPeers } from "./client_peers.ts";
import { receiveRow } from "./messaging_client.ts";
import { startNatsPeers, startRedisPeers } from "./rival_peers.ts";
import { type Figures, isInstalled, median, ROOT, say } from "./support.ts";

const ROUNDS = 7;

const RIVALS = {
  nats: { needs: "nats-server", module: "nats_client", start: startNatsPeers },
  redis: { needs: "redis-server", module: "redis_client", start: startRedisPeers },
} as const;

/** Rates, and ratios to the others' clients: above 1, ours is better. */
export async function clientFigures(): Promise<Figures> {
  await using stack = new AsyncDisposableStack();
  const processes = new Map<string, LibraryProcess>();
  const start = async (name: string, module: string, begin: typeof startClientPeers) => {
    const { args } = stack.use(await begin());
    const folder = `${ROOT}/scripts/bench`;
    processes.set(name, stack.use(await LibraryProcess.start(ROOT, folder, module, args)));
  };
  await start("socktool", "client", startClientPeers);
  for (const [name, { needs, module, start: begin }] of Object.entries(RIVALS)) {
    if (isInstalled(needs)) await start(name, module, begin);
    else say(`skipped, because ${needs} is not installed: the client's ratios to ${name}`);
  }
  const figures: Figures = {};
  for (const { name: row, unit } of CLIENT_ROWS) {
    const values = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, library] of processes) {
        const theirs = library.rows.includes(row) ? row : rowBeside(row);
        if (!library.rows.includes(theirs)) continue;
        const measured = values.get(name) ?? [];
        values.set(name, measured);
        measured.push(await library.measure(theirs));
      }
    }
    const ours = values.get("socktool")!;
    figures[`client, ${row}, ${unit}`] = median(ours);
    for (const name of Object.keys(RIVALS)) {
      const theirs = values.get(name);
      if (theirs === undefined) continue;
      const ratio = (value: number, other: number) => unit === "ms" ? other / value : value / other;
      const ratios = ours.map((value, i) => ratio(value, theirs[i]!));
      figures[`client, ${row}: ratio to ${name}`] = median(ratios);
    }
  }
  return figures;
}

/** The row for another library that has no such way to take messages: its fastest. */
function rowBeside(row: string): string {
  const size = /^receive (\S+ \S+), /.exec(row)?.[1];
  return size === undefined ? row : receiveRow(size, "callback");
}
