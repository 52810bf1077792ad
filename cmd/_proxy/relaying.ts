/**
 * What `proxy` and `tap` share: both stand between clients and a server, and pass on what is said.
 *
 * @module
 */
import { AddressError } from "../../lib/net/mod.ts";
import { type Proxy, ProxyError, type ProxyOptions, serveProxy } from "../../lib/proxy/mod.ts";
import { recordFlags } from "../_capture/recording.ts";
import {
  announce,
  type ArgumentTable,
  type clientTlsFlags,
  clientTlsOf,
  connectTimeoutFlag,
  type Context,
  type FlagTable,
  limitFlags,
  lowerFirst,
  rereadOnHangup,
  type serverTlsFlags,
  serverTlsOf,
  UsageError,
} from "../_cli/mod.ts";
import type { ArgumentValues, FlagValues } from "../_cli/spec.ts";

/** Where to listen, and where to connect to. */
export const relayArguments = {
  listen: { type: "address", help: "the address to listen on; port 0 picks a free port" },
  upstream: { type: "address", help: "the server to connect to, once for each client" },
} as const satisfies ArgumentTable;

/** Recording and limits. The flags for TLS are those of servers and those of clients. */
export const relayFlags = {
  ...recordFlags,
  ...connectTimeoutFlag,
  "max-connections": limitFlags["max-connections"],
  "drain-timeout": limitFlags["drain-timeout"],
} as const satisfies FlagTable;

/** The values of a command line. */
export interface RelayInput {
  readonly args: ArgumentValues<typeof relayArguments>;
  readonly flags:
    & FlagValues<typeof relayFlags & typeof serverTlsFlags & typeof clientTlsFlags>
    & { readonly json: boolean };
}

/**
 * Starts a proxy, says where it listens, and has it read its certificate again when it is asked to.
 *
 * @throws {UsageError} what the library says of the addresses: they are those of the command line.
 */
export async function startRelay(
  { args, flags }: RelayInput,
  context: Context,
  options: Pick<ProxyOptions, "faults" | "seed" | "observer" | "maxMemoryBytes">,
): Promise<Proxy> {
  let proxy: Proxy;
  try {
    proxy = await serveProxy(args.listen, args.upstream, {
      ...options,
      tls: await serverTlsOf(flags, context),
      upstreamTls: await clientTlsOf(flags, context),
      connectTimeoutMs: flags["connect-timeout"],
      maxConnections: flags["max-connections"],
      drainTimeoutMs: flags["drain-timeout"],
      signal: context.signal,
    });
  } catch (error) {
    if (!(error instanceof ProxyError || error instanceof AddressError)) throw error;
    throw new UsageError(lowerFirst(error.message));
  }
  rereadOnHangup({ flags, renewTls: (tls) => proxy.renewTls(tls) }, context);
  announce(proxy.address, context, flags.json);
  return proxy;
}
