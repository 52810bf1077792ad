/** What `pub` and `sub` share: the flags for the broker, and how they report the connection. */
import { timerMs } from "../../lib/base/timer_ms.ts";
import type { Address } from "../../lib/net/mod.ts";
import type { BrokerClient, Will } from "../../lib/pubsub/client/mod.ts";
import type { BrokerClientOptions } from "../../lib/pubsub/client/mod.ts";
import { connectBroker } from "../../lib/pubsub/client/connect_broker.ts";
import { PubSubError } from "../../lib/pubsub/client/pubsub_error.ts";
import { topicProblem } from "../../lib/pubsub/protocol/topic.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  type Context,
  credentialFlags,
  describeError,
  type FlagTable,
  formatDuration,
  UsageError,
} from "../_cli/mod.ts";
import { AnswerLimit } from "./answer_limit.ts";
import { NamedServers } from "./named_servers.ts";

/** The longest time that a broker may take to answer, where no flag says another one. */
const ANSWER_MS = 10_000;

/** The flags of a broker's client. */
export const brokerFlags = {
  server: {
    type: "address",
    port: 5635,
    webSocket: true,
    short: "s",
    repeat: true,
    default: "127.0.0.1:5635",
    env: "SOCKTOOL_SERVER",
    group: "Broker",
    help:
      "the broker's address, or ws://HOST:PORT/ws of its --http; of several the next is tried " +
      "when there is no connection",
  },
  ...credentialFlags,
  name: {
    type: "string",
    group: "Broker",
    help: "a name for this client, for the broker's operator to see",
  },
  will: {
    type: "string",
    placeholder: "TOPIC=TEXT",
    group: "Broker",
    help: "what the broker publishes if this client is killed or its connection is lost",
  },
  ...clientTlsFlags,
} as const satisfies FlagTable;

/** The values of {@linkcode brokerFlags}. */
export interface BrokerFlagValues {
  readonly server: readonly Address[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly name: string | undefined;
  readonly will: string | undefined;
  readonly tls: boolean;
  readonly "tls-ca": string | undefined;
  readonly "tls-name": string | undefined;
  readonly insecure: boolean;
  readonly json: boolean;
}

/** How a client connects, besides what {@linkcode brokerFlags} say. */
export interface ConnectOptions {
  /** Is told of errors that nobody waits for. */
  readonly onError: (error: unknown) => void;
  /** The limit for each attempt to connect, and for an answer, in milliseconds. @default {10_000} */
  readonly limitMs?: number | undefined;
  /** Whether the first connection is tried until there is a broker. */
  readonly wait?: boolean | undefined;
  /** How long the first connection is tried in all. @default {no limit} */
  readonly waitMs?: number | undefined;
  /** The largest content of a message. */
  readonly maxContentBytes?: number | undefined;
}

/** A client, and how long to wait for its broker. */
export interface Connected {
  readonly client: BrokerClient;
  readonly limit: AnswerLimit;
}

/**
 * Connects, and reports when the connection is lost and when it is restored.
 *
 * @throws {UsageError} if `--will` is not TOPIC=TEXT.
 * @throws {PubSubError} `timed-out`, if a server does not answer in time, or there is no broker after
 * `waitMs`.
 */
export async function connectClient(
  flags: BrokerFlagValues,
  context: Context,
  { onError, limitMs = ANSWER_MS, wait, waitMs, maxContentBytes }: ConnectOptions,
): Promise<Connected> {
  const { log, out, signal } = context;
  const { user, password, token } = flags;
  let lost = false;
  let wasConnected = false;
  let lastWhy: string | undefined;
  const servers = new NamedServers(flags.server, await clientTlsOf(flags, context));
  /** One that lets nobody in is named. */
  const named = (error: unknown) => {
    const { silence } = servers;
    if (!(error instanceof PubSubError) || error.code !== "timed-out") return error;
    return silence === undefined ? error : new PubSubError("timed-out", silence);
  };
  const options: BrokerClientOptions = {
    name: flags.name,
    credentials: { user, password, token },
    will: flags.will === undefined ? undefined : parseWill(flags.will),
    waitOnFirstConnect: wait,
    connectTimeoutMs: limitMs,
    maxContentBytes,
    onState({ state, reason, retryMs }) {
      // Nothing is tried any more.
      if (connecting.signal.aborted) return;
      if (state === "reconnecting" || (state === "connecting" && retryMs !== undefined)) {
        lost = true;
        const why = reason === undefined ? "the broker closed it" : describeError(named(reason));
        lastWhy = why;
        log.warn(`no connection: ${why}; trying again in ${formatDuration(retryMs ?? 0)}`);
        if (flags.json) out.json({ type: "disconnected", reason: why });
      } else if (state === "connected") {
        if (lost) {
          log.warn(wasConnected ? "connected again" : "connected");
          if (flags.json) out.json({ type: "connected" });
        }
        lost = false;
        wasConnected = true;
        servers.letIn();
      }
    },
    onError,
  };
  // Connecting is broken off; a client that is connected ends in order.
  const connecting = new AbortController();
  const stop = () => connecting.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const timer = waitMs === undefined ? undefined : setTimeout(() => {
    const why = lastWhy ?? servers.silence;
    const message = `No broker came in ${formatDuration(waitMs)}${
      why === undefined ? "" : `: ${why}`
    }`;
    connecting.abort(new PubSubError("timed-out", message));
  }, timerMs("--timeout", waitMs));
  try {
    const client = await connectBroker(servers.sources, {
      ...options,
      signal: connecting.signal,
    });
    return { client, limit: new AnswerLimit(client, servers, limitMs) };
  } catch (error) {
    // What `waitMs` ends says itself what was waited for.
    throw error === connecting.signal.reason ? error : named(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Does work with a client, which is closed behind it, and at once when the program is interrupted.
 *
 * @throws the interruption, if there was one; else what connecting or the work throws.
 */
export async function withClient<T>(
  flags: BrokerFlagValues,
  context: Context,
  options: ConnectOptions,
  work: (client: BrokerClient, limit: AnswerLimit) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  const { client, limit } = await connectClient(flags, context, options);
  const stop = () => void client.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await work(client, limit);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    await client.close();
  }
}

function parseWill(text: string): Will {
  const equals = text.indexOf("=");
  if (equals < 1) throw new UsageError(`--will: cannot read ${text} as TOPIC=TEXT`);
  const topic = text.slice(0, equals);
  const problem = topicProblem(topic);
  if (problem) throw new UsageError(`--will ${topic}: ${problem}`);
  return { topic, content: text.slice(equals + 1) };
}
