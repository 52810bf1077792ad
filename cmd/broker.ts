/** The broker of publish/subscribe: `socktool broker`. */
import { type Broker, serveBroker } from "../lib/pubsub/broker/broker.ts";
import { type BrokerObserver, minPendingBytes } from "../lib/pubsub/broker/broker_options.ts";
import {
  accessFlags,
  announce,
  authenticatorOf,
  checkAccess,
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatBytes,
  formatCount,
  httpFlags,
  jsonEvents,
  limitFlags,
  logAcceptFailures,
  logFormatFlag,
  maxMemoryOf,
  outputFlags,
  runMain,
  serverTlsFlags,
  untilDrained,
  UsageError,
} from "./_cli/mod.ts";
import { importLater } from "../lib/base/import_later.ts";
import type { TimeHistogram } from "../lib/web/mod.ts";
import { mayPublish } from "../lib/pubsub/broker/routing/rights.ts";
import { openEntrance } from "./_web/entrance.ts";
import type { HttpSide } from "./_web/http_side.ts";
import { recordFlags } from "./_capture/recording.ts";
import { askedStreams, openStore, storeFlags } from "./_pubsub/stream_store.ts";
import type { StreamStore } from "../lib/pubsub/broker/streams/stream_store.ts";
import { joinNats, natsFlags } from "./_pubsub/nats.ts";

export const command = defineCommand({
  name: "broker",
  summary: "deliver publications to their subscribers, and tell slow ones what they missed",
  role: "server",
  arguments: {
    address: {
      type: "address",
      default: "127.0.0.1:5635",
      help: "the address to listen on; port 0 picks a free port",
    },
  },
  flags: {
    ...accessFlags,
    "hash-password": {
      type: "boolean",
      group: "Access",
      conflicts: ["hash-token"],
      help: "read a password from stdin, print its hash for the --auth FILE, and exit",
    },
    "hash-token": {
      type: "boolean",
      group: "Access",
      help: "read a token from stdin, print its hash for the --auth FILE, and exit",
    },
    "max-connections": {
      type: "count",
      default: "20k",
      group: "Limits",
      help: "serve at most this many clients at once; 0 for no limit",
    },
    "max-content": {
      type: "size",
      default: "1MiB",
      group: "Limits",
      help: "accept a publication's content up to this size",
    },
    "max-pending": {
      type: "size",
      default: "4MiB",
      group: "Limits",
      help: "keep at most this much for one subscriber that falls behind",
    },
    "max-retained": {
      type: "size",
      group: "Limits",
      help: "keep at most this much in retained publications; by default 64MiB, or 3/32 of " +
        "--max-memory if that is less",
    },
    "max-memory": limitFlags["max-memory"],
    "max-filters": {
      type: "count",
      default: "1M",
      group: "Limits",
      help: "let one client have at most this many subscriptions",
    },
    "max-groups": {
      type: "count",
      default: "1k",
      group: "Limits",
      help: "let one client be in at most this many groups",
    },
    "max-user-filters": {
      type: "count",
      default: "0",
      group: "Limits",
      help: "let all clients of one user have at most this many subscriptions; 0 for no limit " +
        "but that of memory",
    },
    "max-user-groups": {
      type: "count",
      default: "0",
      group: "Limits",
      help: "let all clients of one user be in at most this many groups; 0 for no limit but that " +
        "of memory",
    },
    "ping-interval": {
      type: "duration",
      default: "30s",
      group: "Limits",
      help:
        "ping a client that is silent for this long, and close its connection after three times as " +
        "long; 0 for never",
    },
    patience: {
      type: "duration",
      default: "100ms",
      group: "Limits",
      help: "let publishers wait up to this long for one subscriber that falls behind",
    },
    "allow-block": {
      type: "boolean",
      group: "Limits",
      help: "let a subscriber with --slow block make publishers wait without limit",
    },
    "drain-timeout": {
      type: "duration",
      default: "5s",
      group: "Limits",
      help: "on SIGINT or SIGTERM, take up to this long to deliver what waits",
    },
    ...storeFlags,
    ...httpFlags,
    ...natsFlags,
    stats: {
      type: "duration",
      min: 10,
      help: "print figures at this interval",
    },
    ...recordFlags,
    ...serverTlsFlags,
    ...logFormatFlag,
    ...outputFlags,
  },
  examples: [
    ["socktool broker", "listen on 127.0.0.1:5635"],
    ["socktool broker --stats 1s", "print figures every second"],
    ["socktool broker 0.0.0.0:5635 --auth users.json", "for other machines, by name and password"],
    ["socktool broker --store data --stream 'orders=orders.>'", "keep what is published on orders"],
    ["socktool broker --nats nats://n1,nats://n2", "serve the topics of a NATS cluster"],
    ["socktool broker --hash-password < secret.txt", "make the hash of a password"],
  ],
  notes: [
    'An --auth FILE holds {"users": [{"name", "password": HASH, "publish": {"allow": [FILTER…], ' +
    '"deny": [FILTER…]}, "subscribe": {…}, "streams": {NAME: ["create", "store", "read", ' +
    '"consume", "purge"]}}], "tokens": [{"name", "token": HASH, …}]}. Anything ' +
    "not listed is refused. A subscription that could match a denied topic is refused too.",
    "Clients get the broker's figures by requests to _sys.stats, _sys.connections or _sys.topics: " +
    "socktool pub --request _sys.stats ''. Who comes and goes is told to who subscribes to it: " +
    "socktool sub _sys.connected _sys.disconnected",
  ],
  async run({ flags, args, given }, context) {
    if (flags["hash-password"] || flags["hash-token"]) {
      return await printHash(flags["hash-token"], context);
    }
    const { address } = args;
    checkAccess(address, flags);
    const maxPendingBytes = pendingBytes(flags, given);
    const makeStreams = await askedStreams(flags);
    using authenticator = await authenticatorOf(flags, context);
    await using backplane = await joinNats(flags, context);
    const natsStreams = backplane?.streams;
    if (natsStreams) await makeStreams?.(natsStreams, flags["nats-wait"], context);
    const own: { store?: StreamStore | undefined } = {};
    // Listens before a store is made: a port that is in use is to be told before.
    await using entrance = await openEntrance(address, flags, given, {
      command: "broker",
      authenticator,
      // Who may ask for the figures on the wire may read them over HTTP.
      may: (principal) => mayPublish(principal, "_sys.stats"),
      failure: () => own.store?.failure?.message,
      lack: () => backplane?.shared?.lack,
    }, context);
    await using streams = own.store = await openStore(flags);
    if (streams) await makeStreams?.(streams, 0, context);
    const { listener, http } = entrance;
    const delays = http?.histogram(
      "delivery_delay",
      "How long publications wait until a subscriber's socket has taken them, of a sample",
    );
    const broker = serveBroker(listener, {
      maxConnections: flags["max-connections"],
      maxContentBytes: flags["max-content"],
      maxPendingBytes,
      maxRetainedBytes: flags["max-retained"],
      maxMemoryBytes: maxMemoryOf(flags),
      maxSubscriptions: flags["max-filters"],
      maxMemberships: flags["max-groups"],
      maxUserSubscriptions: flags["max-user-filters"] || Infinity,
      maxUserMemberships: flags["max-user-groups"] || Infinity,
      pingIntervalMs: flags["ping-interval"],
      patienceMs: flags.patience,
      allowBlock: flags["allow-block"],
      drainTimeoutMs: flags["drain-timeout"],
      authenticator,
      streams,
      backplane,
      signal: context.signal,
      observer: observer(context, flags.json, delays && ((ms) => delays.observe(ms))),
    });
    if (http) await showBroker(http, broker, delays!);
    announce(broker.address, context, flags.json);
    using _stats = flags.stats === undefined
      ? undefined
      : await printStats(broker, flags.stats, context, flags.json);
    let missedBefore = 0;
    const drains = () => missedBefore = broker.stats().missed;
    context.signal.addEventListener("abort", drains, { once: true });
    await untilDrained(broker, context);
    const { published, delivered, missed } = broker.stats();
    const undelivered = missed - missedBefore;
    if (undelivered > 0) {
      context.log.warn(`${formatCount(undelivered, "message")} that waited could not be delivered`);
    }
    if (flags.json) context.out.json({ type: "summary", published, delivered, missed });
    const { failure } = streams ?? {};
    if (failure) context.log.error(describeError(failure), { code: failure.code });
    return failure ? EXIT.failed : EXIT.ok;
  },
});

async function printStats(
  broker: Broker,
  intervalMs: number,
  context: Context,
  json: boolean,
): Promise<Disposable> {
  const { reportStats } = await importLater<typeof import("./_pubsub/report_stats.ts")>(
    new URL("./_pubsub/report_stats.ts", import.meta.url),
  );
  return reportStats(broker, intervalMs, context, json);
}

async function printHash(isToken: boolean, context: Context): Promise<undefined> {
  const secret = await readSecret(context);
  const { hashPassword, hashToken } = await importLater<typeof import("../lib/access/mod.ts")>(
    new URL("../lib/access/mod.ts", import.meta.url),
  );
  await context.out.line(isToken ? hashToken(secret) : await hashPassword(secret));
}

/** Adds its pages and figures to the HTTP side, which is ready then. */
async function showBroker(http: HttpSide, broker: Broker, delays: TimeHistogram): Promise<void> {
  const { brokerPages } = await importLater<typeof import("./_pubsub/broker_pages.ts")>(
    new URL("./_pubsub/broker_pages.ts", import.meta.url),
  );
  const { measureBroker } = await importLater<typeof import("./_web/broker_metrics.ts")>(
    new URL("./_web/broker_metrics.ts", import.meta.url),
  );
  measureBroker(http, broker);
  http.add(brokerPages(broker, delays));
  http.ready();
}

/** The limit for one subscriber; by default there is room for four of the largest publications. */
function pendingBytes(
  flags: { readonly "max-content": number; readonly "max-pending": number },
  given: ReadonlySet<string>,
): number {
  const { "max-content": content, "max-pending": pending } = flags;
  if (!given.has("max-pending")) return Math.max(pending, 4 * content);
  const least = minPendingBytes(content);
  if (pending >= least) return pending;
  throw new UsageError(
    `--max-pending: ${formatBytes(pending)} is too small for publications of ` +
      `${formatBytes(content)} (at least ${formatBytes(least)})`,
  );
}

async function readSecret({ stdin, stdinIsTerminal, log, signal }: Context): Promise<string> {
  if (stdinIsTerminal) log.info("type it and press Enter; it is shown");
  const { readLines } = await importLater<typeof import("./_cli/read_lines.ts")>(
    new URL("./_cli/read_lines.ts", import.meta.url),
  );
  for await (const line of readLines(stdin(), signal)) {
    if (line !== "") return line;
  }
  throw new UsageError("stdin is empty: give the secret on stdin");
}

function observer(
  { out, log }: Context,
  json: boolean,
  deliveryTimed: ((ms: number) => void) | undefined,
): BrokerObserver {
  const events = jsonEvents(out);
  const lines: BrokerObserver = {
    connected({ id, remote }) {
      if (json) events.print({ type: "connected", id, remote });
      else log.detail(`connection ${id} from ${remote}`, { connection: id });
    },
    disconnected({ id, remote, name, user, published, delivered, missed }, bye, error) {
      if (json) {
        const reason = bye ?? (error === undefined ? "closed" : "lost");
        const counts = { published, delivered, missed };
        events.print({ type: "disconnected", id, remote, name, user, reason, ...counts });
        return;
      }
      const why = bye ?? (error === undefined ? "closed" : describeError(error));
      log.detail(
        `connection ${id} ended: ${why}; ${published} published, ${delivered} delivered, ` +
          `${missed} missed`,
        { connection: id },
      );
    },
    refused({ id, user }, { code, message }) {
      if (json) events.print({ type: "refused", id, user, code, message });
      else log.detail(`connection ${id}: ${code}: ${message}`, { connection: id });
    },
  };
  return {
    // Where nothing is said of connections, the broker makes no figures of them for it.
    ...(json || log.level === "verbose" ? lines : {}),
    ...(deliveryTimed ? { deliveryTimed } : {}),
    slow({ id, remote, name, pendingBytes }) {
      if (json) events.print({ type: "slow", id, remote, name, pendingBytes });
      else {
        const who = `connection ${id} from ${remote}${name && ` (${name})`}`;
        log.warn(`${who} does not keep up`, { connection: id });
      }
    },
    retainedWaits(error) {
      const { code, message } = error;
      if (json) events.print({ type: "retained-waits", code, message });
      log.warn(describeError(error));
    },
    storageFailed(error) {
      const { code, message } = error;
      if (json) events.print({ type: "storage-failed", code, message });
      log.error(describeError(error));
    },
    acceptFailed: logAcceptFailures(log),
  };
}

if (import.meta.main) await runMain(command);
