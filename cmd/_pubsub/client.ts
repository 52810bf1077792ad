/** What `pub` and `sub` share: the flags for the broker, and how they report the connection. */
import type { Address } from "../../lib/net/mod.ts";
import { type BrokerClient, connectBroker } from "../../lib/pubsub/mod.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  type Context,
  credentialFlags,
  describeError,
  type FlagTable,
  formatDuration,
} from "../_cli/mod.ts";

/** The flags of a broker's client. */
export const brokerFlags = {
  server: {
    type: "address",
    port: 5635,
    short: "s",
    default: "127.0.0.1:5635",
    env: "SOCKTOOL_SERVER",
    group: "Broker",
    help: "the broker's address",
  },
  ...credentialFlags,
  name: {
    type: "string",
    group: "Broker",
    help: "a name for this client, for the broker's operator to see",
  },
  ...clientTlsFlags,
} as const satisfies FlagTable;

/** The values of {@linkcode brokerFlags}. */
export interface BrokerFlagValues {
  readonly server: Address;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly name: string | undefined;
  readonly tls: boolean;
  readonly "tls-ca": string | undefined;
  readonly json: boolean;
}

/**
 * Connects, and reports when the connection is lost and when it is restored.
 *
 * @param connectTimeoutMs The limit for each attempt to connect.
 */
export async function connectClient(
  flags: BrokerFlagValues,
  { log, out, signal }: Context,
  onError: (error: unknown) => void,
  connectTimeoutMs?: number,
): Promise<BrokerClient> {
  const { user, password, token } = flags;
  let lost = false;
  return await connectBroker(flags.server, {
    name: flags.name,
    credentials: { user, password, token },
    tls: await clientTlsOf(flags),
    connectTimeoutMs,
    onState({ state, reason, retryMs }) {
      if (state === "reconnecting") {
        lost = true;
        const why = reason === undefined ? "the broker closed it" : describeError(reason);
        log.warn(`no connection: ${why}; trying again in ${formatDuration(retryMs ?? 0)}`);
        if (flags.json) out.json({ type: "disconnected", reason: why });
      } else if (state === "connected" && lost) {
        lost = false;
        log.warn("connected again");
        if (flags.json) out.json({ type: "connected" });
      }
    },
    onError,
  }).then((client) => {
    if (signal.aborted) void client.close();
    return client;
  });
}
