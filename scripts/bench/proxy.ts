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
const DELAYED_RATE = 2_000;
const DELAY_MS = 20;
const DELAYED_SECONDS = 2;
const DELAYED_ROUNDS = 3;

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

/**
 * How much later than the delay says the answers come, on many connections whose messages are spread
 * evenly: through the proxy, and for comparison through one that delays nothing, and without any.
 */
async function measureDelay(upstream: number, figures: Figures): Promise<void> {
  const load = await buildC("delay_load");
  await using prompt = await startProxy(upstream);
  await using delaying = await startProxy(upstream, "--fault", `down delay ${DELAY_MS}ms`);
  const rows = [
    { name: "no proxy", port: upstream, delayMs: 0 },
    { name: "proxy without delay", port: prompt.port, delayMs: 0 },
    { name: `delay ${DELAY_MS} ms`, port: delaying.port, delayMs: DELAY_MS },
  ].map((row) => ({ ...row, p50: [] as number[], p99: [] as number[] }));
  for (let round = 0; round < DELAYED_ROUNDS; round++) {
    for (const { port, delayMs, p50, p99 } of rows) {
      const args = [port, DELAYED_CONNECTIONS, DELAYED_RATE, delayMs, DELAYED_SECONDS];
      const late = await runJson(load, args);
      p50.push(late["late_p50_us"]! / 1_000);
      p99.push(late["late_p99_us"]! / 1_000);
    }
  }
  for (const { name, p50, p99 } of rows) {
    const title = `${DELAYED_CONNECTIONS} connections, ${name}: answers late by`;
    figures[`${title} p50, ms`] = median(p50);
    figures[`${title} p99, ms`] = median(p99);
  }
}
