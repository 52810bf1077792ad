/** Puts a server under load and measures it: `socktool load`. */
import type { LoadPlan } from "../lib/load/mod.ts";
import { type Address, type ClientTls, parseAddress } from "../lib/net/mod.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  type Context,
  credentialFlags,
  defineCommand,
  helloOf,
  outputFlags,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { checkOpenFiles } from "./_cli/open_files.ts";
import framesExchange, { type FramesOptions } from "./_load/frames_exchange.ts";
import {
  connectionFlags,
  loadFlags,
  pacingOf,
  type PlanFlags,
  planOf,
} from "./_load/load_flags.ts";
import { checkKind, pubsubFlags } from "./_load/pubsub_flags.ts";
import { requestFlags, type RequestFlagValues, requestsOf } from "./_load/request_flags.ts";
import { LOAD_EXIT_CODES, LOAD_NOTES, runMeasured, thresholdsOf } from "./_load/run_measured.ts";

const DEFAULT_CONNECTIONS = 10;

/** The size of a publication. */
const DEFAULT_PUBLICATION_BYTES = 64;

export const command = defineCommand({
  name: "load",
  summary: "put any server of requests and answers, or a broker, under load and measure it",
  arguments: {
    address: {
      type: "address",
      webSocket: true,
      optional: true,
      help: "the server; by default 127.0.0.1:5634, with --publish 127.0.0.1:5635",
    },
    "num-conns": {
      type: "count",
      min: 1,
      max: 1_000_000,
      optional: true,
      help: "how many connections to open; by default 10, with --publish 1",
    },
  },
  flags: {
    ...loadFlags,
    ...requestFlags,
    ...pubsubFlags,
    ...connectionFlags,
    ...credentialFlags,
    ...clientTlsFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool load :5634", "an echo server: the most that it can do"],
    [
      "socktool load :5634 50 --rate 10k --duration 30s --warmup 2s --report load.html",
      "what users would feel at 10,000 messages per second",
    ],
    [
      "socktool load :7 --message 'hello {seq}' --fail-if 'p99.9>5ms' --fail-if 'errors>1%'",
      "fail a build when the server has become slow, or answers wrongly",
    ],
    [
      "socktool load :6379 --message $'PING\\r\\n' --answer until:'\\r\\n' --expect PONG",
      "a service of lines, whose answers must contain a text",
    ],
    [
      `socktool load :5634 --protocol frames --request '{"action":"search","value":"ring"}'`,
      "an app server",
    ],
    [
      "socktool load --publish t.x --subscribe 't.*' --subscribers 10 --rate 5k",
      "a broker end to end: from when a publication was due to each delivery",
    ],
  ],
  notes: [
    ...LOAD_NOTES,
    "With --publish each publication has as many answers as there are subscribers. What the broker " +
    "tells the subscribers that they missed is told as missed, and what neither came nor was told " +
    "as lost.",
  ],
  exitCodes: LOAD_EXIT_CODES,
  async run({ flags, args, given }, context) {
    const kind = flags.publish !== undefined ? "publish" : flags.protocol;
    checkKind(kind, given);
    const publishes = kind === "publish";
    const address = args.address ?? parseAddress(publishes ? "127.0.0.1:5635" : "127.0.0.1:5634");
    const connections = args["num-conns"] ?? (publishes ? 1 : DEFAULT_CONNECTIONS);
    const thresholds = thresholdsOf(flags["fail-if"]);
    const subscribers = flags.subscribers ?? 1;
    const threads = Math.min(flags.workers, connections);
    const problem = await checkOpenFiles(connections + (publishes ? subscribers : 0), { threads });
    if (problem !== undefined) throw new Error(problem);
    const tls = await clientTlsOf(flags, context);
    if (kind === "bytes") {
      const plan = await planOf(address, connections, tls, flags);
      return await runMeasured(plan, thresholds, flags, context);
    }
    if (kind === "frames") {
      const plan = await framesPlan(address, connections, tls, flags, context);
      return await runMeasured(plan, thresholds, flags, context);
    }
    if (flags.workers > 1) {
      throw new UsageError(
        "--workers: with --publish, one thread publishes and sees all deliveries",
      );
    }
    const plan = pacingOf(address, connections, tls, flags);
    const { pubsubExchange } = await import("./_load/pubsub_exchange.ts");
    const exchange = await pubsubExchange({
      address,
      connect: {
        tls,
        connectTimeoutMs: flags["connect-timeout"],
        credentials: { user: flags.user, password: flags.password, token: flags.token },
      },
      answerMs: flags.timeout,
      topic: flags.publish!,
      filter: flags.subscribe!,
      subscribers,
      bytes: flags.size ?? DEFAULT_PUBLICATION_BYTES,
      onError: reportOnce(context),
    });
    try {
      return await runMeasured({ ...plan, exchange }, thresholds, flags, context);
    } finally {
      await exchange.close?.();
    }
  },
});

/** The plan of requests in frames. */
async function framesPlan(
  address: Address,
  connections: number,
  tls: ClientTls | undefined,
  flags: PlanFlags & RequestFlagValues & Parameters<typeof helloOf>[0],
  context: Context,
): Promise<LoadPlan> {
  const hello = helloOf(flags);
  const options: FramesOptions = {
    requests: await requestsOf(flags, context),
    expect: flags.expect,
    greeting: hello === undefined ? undefined : JSON.stringify(hello),
  };
  const exchange = Math.min(flags.workers, connections) === 1
    ? framesExchange(options)
    : { module: new URL("./_load/frames_exchange.ts", import.meta.url), options };
  return { ...pacingOf(address, connections, tls, flags), exchange };
}

/** Tells of the first error of the broker's clients; the summary counts what came of it. */
function reportOnce({ log, signal }: Context): (error: unknown) => void {
  let told = false;
  return (error) => {
    if (told || signal.aborted) return;
    told = true;
    log.warn(error instanceof Error ? error.message : String(error));
  };
}

if (import.meta.main) await runMain(command);
