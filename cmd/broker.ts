/** The broker of publish/subscribe: `socktool broker`. */
import { formatAddress, isLoopback, listen } from "../lib/net/mod.ts";
import {
  AuthFileError,
  type BrokerObserver,
  FileAuthenticator,
  hashPassword,
  hashToken,
  minPendingBytes,
  parseAuthFile,
  serveBroker,
} from "../lib/pubsub/mod.ts";
import {
  announce,
  type Context,
  defineCommand,
  describeError,
  formatBytes,
  outputFlags,
  readLines,
  runMain,
  serverTlsFlags,
  serverTlsOf,
  untilDrained,
  UsageError,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { reportStats } from "./_pubsub/report_stats.ts";

export const command = defineCommand({
  name: "broker",
  summary:
    "pass publications on to their subscribers, and tell those who are slow what they missed",
  role: "server",
  arguments: {
    address: {
      type: "address",
      default: "127.0.0.1:5635",
      help: "where to listen; port 0 takes a free one",
    },
  },
  flags: {
    auth: {
      type: "path",
      hint: "file",
      placeholder: "FILE",
      group: "Access",
      help: "who may connect, and publish and subscribe to what (JSON)",
    },
    insecure: {
      type: "boolean",
      group: "Access",
      help: "without --auth, listen all the same where other machines can connect",
    },
    "hash-password": {
      type: "boolean",
      group: "Access",
      conflicts: ["hash-token"],
      help: "read a password from stdin, print its hash for the --auth FILE, and end",
    },
    "hash-token": {
      type: "boolean",
      group: "Access",
      help: "read a token from stdin, print its hash for the --auth FILE, and end",
    },
    "max-connections": {
      type: "count",
      default: "20k",
      group: "Limits",
      help: "clients at one time; 0 for any number",
    },
    "max-content": {
      type: "size",
      default: "1MiB",
      group: "Limits",
      help: "the largest content of a publication",
    },
    "max-pending": {
      type: "size",
      default: "4MiB",
      group: "Limits",
      help: "what may wait for one subscriber that does not keep up",
    },
    "max-retained": {
      type: "size",
      default: "64MiB",
      group: "Limits",
      help: "what all retained publications together may take",
    },
    "ping-interval": {
      type: "duration",
      default: "30s",
      group: "Limits",
      help:
        "ask quiet clients for a sign of life; three without one end a connection; 0 never asks",
    },
    patience: {
      type: "duration",
      default: "100ms",
      group: "Limits",
      help: "how long publishers wait for one subscriber that does not keep up",
    },
    "allow-block": {
      type: "boolean",
      group: "Limits",
      help: "let subscribers make publishers wait without a bound (--slow block)",
    },
    "drain-timeout": {
      type: "duration",
      default: "5s",
      group: "Limits",
      help: "on SIGINT and SIGTERM, how long it may take to deliver what waits",
    },
    stats: {
      type: "duration",
      min: 10,
      help: "print figures at this interval",
    },
    ...serverTlsFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool broker", "listen on 127.0.0.1:5635"],
    ["socktool broker --stats 1s", "and print every second what goes in and out"],
    ["socktool broker 0.0.0.0:5635 --auth users.json", "for other machines, by name and password"],
    ["socktool broker --hash-password < secret.txt", "make the hash of a password"],
  ],
  notes: [
    'An --auth FILE holds {"users": [{"name", "password": HASH, "publish": {"allow": [FILTER…], ' +
    '"deny": [FILTER…]}, "subscribe": {…}}], "tokens": [{"name", "token": HASH, …}]}. What is not ' +
    "allowed is forbidden, and so is a filter with which a denied topic could come.",
    "A client asks for figures by a request to _sys.stats, _sys.connections or _sys.topics: " +
    "socktool pub --request _sys.stats ''",
  ],
  async run({ flags, args, given }, context) {
    if (flags["hash-password"] || flags["hash-token"]) {
      const secret = await readSecret(context);
      const hash = flags["hash-token"] ? hashToken(secret) : await hashPassword(secret);
      return void await context.out.line(hash);
    }
    const { address } = args;
    if (flags.auth === undefined && !flags.insecure && !isLoopback(address)) {
      throw new UsageError(
        `other machines can connect to ${formatAddress(address)}: say who may with --auth FILE, ` +
          "or that anybody may with --insecure",
      );
    }
    const maxPendingBytes = pendingBytes(flags, given);
    const authenticator = flags.auth === undefined ? undefined : await readAuthFile(flags.auth);
    const tls = await serverTlsOf(flags);
    using listener = await listen(address, { tls });
    await warnOfOpenFiles(flags, given, context);
    const broker = serveBroker(listener, {
      maxConnections: flags["max-connections"],
      maxContentBytes: flags["max-content"],
      maxPendingBytes,
      maxRetainedBytes: flags["max-retained"],
      pingIntervalMs: flags["ping-interval"],
      patienceMs: flags.patience,
      allowBlock: flags["allow-block"],
      drainTimeoutMs: flags["drain-timeout"],
      authenticator,
      signal: context.signal,
      observer: observer(context, flags.json),
    });
    announce(broker.address, context, flags.json);
    using _stats = reportStats(broker, flags.stats, context, flags.json);
    await untilDrained(broker, context);
  },
});

async function readAuthFile(path: string): Promise<FileAuthenticator> {
  const text = await Deno.readTextFile(path);
  try {
    return new FileAuthenticator(parseAuthFile(text));
  } catch (cause) {
    if (!(cause instanceof AuthFileError)) throw cause;
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
}

/** What may wait. By default there is room for four of the largest publications. */
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

async function readSecret({ stdinIsTerminal, log, signal }: Context): Promise<string> {
  if (stdinIsTerminal) log.info("type it and press Enter; it is shown");
  for await (const line of readLines(Deno.stdin.readable, signal)) {
    if (line !== "") return line;
  }
  throw new UsageError("stdin is empty: give the secret on stdin");
}

function observer({ out, log }: Context, json: boolean): BrokerObserver {
  return {
    connected({ id, remote }) {
      if (json) out.json({ type: "connected", id, remote });
      else log.detail(`connection ${id} from ${remote}`);
    },
    disconnected({ id, remote, name, user, published, delivered, missed }, bye, error) {
      if (json) {
        const reason = bye ?? (error === undefined ? "closed" : "lost");
        const counts = { published, delivered, missed };
        out.json({ type: "disconnected", id, remote, name, user, reason, ...counts });
        return;
      }
      const why = bye ?? (error === undefined ? "closed" : describeError(error));
      log.detail(
        `connection ${id} ended: ${why}; ${published} published, ${delivered} delivered, ` +
          `${missed} missed`,
      );
    },
    refused({ id, user }, { code, message }) {
      if (json) out.json({ type: "refused", id, user, code, message });
      else log.detail(`connection ${id}: ${code}: ${message}`);
    },
    slow({ id, remote, name, pendingBytes }) {
      if (json) out.json({ type: "slow", id, remote, name, pendingBytes });
      else log.warn(`connection ${id} from ${remote}${name && ` (${name})`} does not keep up`);
    },
    acceptFailed(error) {
      log.warn(describeError(error));
    },
  };
}

if (import.meta.main) await runMain(command);
