/**
 * The proxy without faults before the C echo server, beside a C relay and socat; and how late its
 * delay is.
 *
 * @module
 */
import { ECHO_ROWS, rowTitle } from "./echo.ts";
import {
  buildC,
  denoArgs,
  type Figures,
  freePort,
  isInstalled,
  median,
  runJson,
  type ServerProcess,
  startServer,
} from "./support.ts";

const SECONDS = 0.8;
const ROUNDS = 5;

/** Connections of the measured delay, and messages per second on all of them together. */
const DELAYED_CONNECTIONS = 1_000;
const DELAYED_RATE = "2k";
const DELAY_MS = 20;

/** Something that passes bytes on to a port. */
interface Relay extends ServerProcess {
  readonly name: string;
}

/** Measures; ratios are medians of those of one round, in which all take turns. */
export async function run(): Promise<Figures> {
  const figures: Figures = {};
  const load = await buildC("echo_load");
  const upstreamPort = freePort();
  await using _upstream = await startServer(
    await buildC("echo_ref"),
    [String(upstreamPort)],
    upstreamPort,
  );
  await using stack = new AsyncDisposableStack();
  const relays: Relay[] = [];
  for (const start of [startReference, startOurs, startSocat]) {
    const relay = await start(upstreamPort);
    if (relay) relays.push(stack.use(relay));
  }
  for (const row of [ECHO_ROWS[0], ECHO_ROWS[2]]) {
    const [connections, size, depth] = row;
    const rates = new Map(relays.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, port } of relays) {
        const result = await runJson(load, [port, connections, size, depth, SECONDS]);
        rates.get(name)!.push(result["messages_per_s"]!);
      }
    }
    const ours = rates.get("proxy")!;
    for (const [name, measured] of rates) {
      figures[`${rowTitle(row)}: ${name}, messages/s`] = median(measured);
      if (name === "proxy") continue;
      figures[`${rowTitle(row)}: proxy, ratio to ${name}`] = median(
        ours.map((rate, round) => rate / measured[round]!),
      );
    }
  }
  await measureDelay(upstreamPort, figures);
  return figures;
}

async function startReference(upstream: number): Promise<Relay> {
  const port = freePort();
  const args = [String(port), String(upstream)];
  return { ...await startServer(await buildC("relay_ref"), args, port), name: "relay_ref" };
}

async function startOurs(upstream: number): Promise<Relay> {
  return { ...await startProxy(upstream), name: "proxy" };
}

async function startSocat(upstream: number): Promise<Relay | undefined> {
  if (!isInstalled("socat")) return undefined;
  const port = freePort();
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,fork,nodelay,reuseaddr,backlog=100`;
  const args = [listen, `TCP:127.0.0.1:${upstream},nodelay`];
  return { ...await startServer("socat", args, port), name: "socat" };
}

function startProxy(upstream: number, ...flags: string[]): Promise<ServerProcess> {
  const port = freePort();
  const args = denoArgs("cmd/proxy.ts", `:${port}`, `:${upstream}`, "-q", ...flags);
  return startServer(Deno.execPath(), args, port);
}

/** How much later than the delay says the answers come, on many connections. */
async function measureDelay(upstream: number, figures: Figures): Promise<void> {
  for (const delayMs of [0, DELAY_MS]) {
    const flags = delayMs === 0 ? [] : ["--fault", `down delay ${delayMs}ms`];
    await using proxy = await startProxy(upstream, ...flags);
    const args = denoArgs(
      "cmd/multiconn_client.ts",
      `:${proxy.port}`,
      String(DELAYED_CONNECTIONS),
      ...["--rate", DELAYED_RATE, "--duration", "3s", "--warmup", "500ms", "--json"],
    );
    const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
      .output();
    const summary = JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!);
    const { p50, p99 } = summary.latency_us as Record<string, number>;
    const name = `${DELAYED_CONNECTIONS} connections, delay ${delayMs} ms`;
    figures[`${name}: answers late by p50, ms`] = p50! / 1_000 - delayMs;
    figures[`${name}: answers late by p99, ms`] = p99! / 1_000 - delayMs;
  }
}
