/**
 * Brokers as gateways of a NATS server: `deno task bench nats`, on Linux, where nats-server is
 * installed. Two gateways beside two official clients; what a gateway costs its own subscribers; and
 * what a second gateway brings. Each comparison in turn; the figures are medians.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import {
  buildC,
  cpuMs,
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

const ROUNDS = 7;

/** Content in bytes, and how many messages are sent. */
const SIZES = [[16, 100_000], [1_024, 50_000]] as const;

/** Publications on their way while a client publishes: it goes at its receiver's pace. */
const WINDOW = 4_000;

/**
 * The same for the load generator, which keeps gateways busy: to each subscriber, and, in the sockets'
 * buffers, to all of them. With more, the kernel runs out of memory for buffers, and drops segments.
 */
const MOST_UNDER_WAY = 16_000;
const BYTES_UNDER_WAY = 4_194_304;
const ALL_UNDER_WAY = 134_217_728;

/** A subscriber elsewhere does not slow the publisher down: nothing is left out if all of that may wait. */
const MAX_PENDING = "16MiB";

/** For so long nothing may come, in milliseconds: then something was lost. */
const SILENT_MS = 30_000;

/** For that: content in bytes, and how many messages come out of each gateway. */
const BUSY_SIZES = [[16, 2_000_000], [1_024, 300_000]] as const;

/** Publishes `count` messages, and resolves once the receivers have got all. */
type Exchange = (size: number, count: number) => Promise<void>;

/** Rates, CPU times and their ratios. */
export async function run(): Promise<Figures> {
  if (!isInstalled("nats-server")) {
    say("skipped, because nats-server is not installed: gateways");
    return {};
  }
  await using servers = new AsyncDisposableStack();
  const start = async (command: string, args: (port: number) => string[]) => {
    const port = freePort();
    return servers.use(await startServer(command, args(port), port));
  };
  const nats = await start("nats-server", (port) => ["-a", "127.0.0.1", "-p", String(port)]);
  const broker = (...flags: string[]) =>
    start(
      Deno.execPath(),
      (port) =>
        denoArgs(
          "cmd/broker.ts",
          `127.0.0.1:${port}`,
          "-q",
          "--max-pending",
          MAX_PENDING,
          ...flags,
        ),
    );
  const url = `nats://127.0.0.1:${nats.port}`;
  const [one, other] = [await broker("--nats", url), await broker("--nats", url)];
  const alone = await broker();
  return {
    ...await betweenGateways(nats, one, other),
    ...await ownSubscribers(alone, one),
    ...await secondGateway(one, other),
  };
}

async function betweenGateways(
  nats: ServerProcess,
  one: ServerProcess,
  other: ServerProcess,
): Promise<Figures> {
  const figures: Figures = {};
  await using stack = new AsyncDisposableStack();
  const ours = await exchangeOver(stack, one, other);
  const theirs = await officialExchange(stack, nats);
  for (const [size, count] of SIZES) {
    const rates: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, exchange] of [ours, theirs].entries()) {
        const began = performance.now();
        await exchange(size, count);
        rates[i]!.push(count / (performance.now() - began) * 1_000);
      }
    }
    figures[`${size} B, gateway to gateway: messages/s`] = median(rates[0]);
    figures[`${size} B, official client to client: messages/s`] = median(rates[1]);
    const ratios = rates[0].map((rate, i) => rate / rates[1][i]!);
    figures[`${size} B, gateway to gateway: ratio to the official clients`] = median(ratios);
  }
  return figures;
}

/** What a delivery to ten subscribers of the publisher's own broker costs, with NATS and without. */
async function ownSubscribers(alone: ServerProcess, gateway: ServerProcess): Promise<Figures> {
  const figures: Figures = {};
  const program = await buildC("pubsub_load");
  for (const [size] of SIZES) {
    const count = 100_000;
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const costs: number[] = [];
      for (const { port, pid } of [alone, gateway]) {
        const before = cpuMs(pid);
        await runJson(program, ["socktool", port, 1, 10, size, count]);
        costs.push(cpuMs(pid) - before);
      }
      ratios.push(costs[0]! / costs[1]!);
    }
    const row = `${size} B, to 10 at the publisher's gateway`;
    figures[`${row}: deliveries per CPU time, ratio to a broker alone`] = median(ratios);
  }
  return figures;
}

/** How subscribers are spread over two gateways, beside all of them at one. */
interface Spreading {
  readonly label: string;
  /** One publisher, or one at each gateway; where all are at one, as many there. */
  readonly publishers: 1 | 2;
  readonly subscribersEach: number;
  /** Whether each gateway's clients have a topic of their own. */
  readonly topics: "one" | "own";
}

const SPREADINGS: readonly Spreading[] = [
  { label: "5 subscribers each", publishers: 1, subscribersEach: 5, topics: "one" },
  { label: "50 subscribers each", publishers: 1, subscribersEach: 50, topics: "one" },
  { label: "a publisher and 5 subscribers each", publishers: 2, subscribersEach: 5, topics: "one" },
  {
    label: "a publisher and 5 subscribers each, with topics of their own",
    publishers: 2,
    subscribersEach: 5,
    topics: "own",
  },
];

/** How much more two gateways can do than one with the clients of both. */
async function secondGateway(one: ServerProcess, other: ServerProcess): Promise<Figures> {
  const figures: Figures = {};
  const program = await buildC("gateway_load");
  for (const { label, publishers, subscribersEach, topics } of SPREADINGS) {
    for (const [size, deliveries] of BUSY_SIZES) {
      const ratios: number[] = [];
      const messages = deliveries / subscribersEach;
      // The first round has the gateways' code compiled.
      for (let round = -1; round < ROUNDS; round++) {
        const busiest: number[] = [];
        for (const ports of [[one.port, one.port], [one.port, other.port]]) {
          const before = [cpuMs(one.pid), cpuMs(other.pid)] as const;
          const from = ports.slice(0, publishers).join();
          const toEach = Math.min(BYTES_UNDER_WAY, ALL_UNDER_WAY / (2 * subscribersEach));
          const window = Math.floor(Math.min(MOST_UNDER_WAY, toEach / size));
          const args = [from, ports.join(), subscribersEach, size, messages, window, topics];
          await runJson(program, args);
          busiest.push(Math.max(cpuMs(one.pid) - before[0], cpuMs(other.pid) - before[1]));
        }
        if (round >= 0) ratios.push(busiest[0]! / busiest[1]!);
      }
      figures[`${size} B, 2 gateways, ${label}: ratio to 1 with all, by CPU time`] = median(ratios);
    }
  }
  return figures;
}

async function exchangeOver(
  stack: AsyncDisposableStack,
  from: ServerProcess,
  to: ServerProcess,
): Promise<Exchange> {
  const at = ({ port }: ServerProcess) => `127.0.0.1:${port}`;
  const [publisher, subscriber] = [
    stack.use(await connectBroker(at(from))),
    stack.use(await connectBroker(at(to))),
  ];
  const arrivals = new Arrivals();
  await subscriber.subscribe("bench.pair", {
    onMessage: () => arrivals.add(),
    onMissed: ({ count, reason }) => arrivals.fail(`${count} publications are missing: ${reason}`),
  });
  return async (size, count) => {
    const content = new Uint8Array(size);
    await arrivals.paced(count, (n) => {
      for (let i = 0; i < n; i++) void publisher.publish("bench.pair", content);
    });
  };
}

async function officialExchange(
  stack: AsyncDisposableStack,
  { port }: ServerProcess,
): Promise<Exchange> {
  const [publisher, subscriber] = await Promise.all([1, 2].map(async () => {
    const client = await connect({ servers: `127.0.0.1:${port}` });
    stack.defer(() => client.close());
    return client;
  })) as [Awaited<ReturnType<typeof connect>>, Awaited<ReturnType<typeof connect>>];
  const arrivals = new Arrivals();
  subscriber.subscribe("bench.official", { callback: () => arrivals.add() });
  await subscriber.flush();
  return async (size, count) => {
    const content = new Uint8Array(size);
    await arrivals.paced(count, (n) => {
      for (let i = 0; i < n; i++) publisher.publish("bench.official", content);
    });
  };
}

/** Counts what arrives, and lets no more than a window be on its way. */
class Arrivals {
  #count = 0;
  #due = 0;
  #arrived: PromiseWithResolvers<void> | undefined;

  add(): void {
    if (++this.#count === this.#due) this.#arrived?.resolve();
  }

  /** Some never come. */
  fail(message: string): void {
    this.#arrived?.reject(new Error(message));
  }

  async paced(count: number, send: (n: number) => void): Promise<void> {
    this.#count = 0;
    for (let sent = 0; sent < count;) {
      const some = Math.min(WINDOW / 2, count - sent);
      send(some);
      sent += some;
      // Half a window is on its way while the other half is waited for.
      await this.#until(sent === count ? count : sent - WINDOW / 2);
    }
  }

  async #until(due: number): Promise<void> {
    this.#due = due;
    if (this.#count >= due) return await new Promise((resolve) => setTimeout(resolve, 0));
    this.#arrived = Promise.withResolvers();
    const timer = setTimeout(() => this.fail(`${this.#count} of ${due} have come`), SILENT_MS);
    try {
      await this.#arrived.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
